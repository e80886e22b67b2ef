/** Rooms on a test's own broker, asked as gateways ask: over the bus, through the endpoint. */
import {
  type Asker,
  type RoomsReply,
  RoomsReply as RoomsReplySchema,
  type RoomsRequest,
  SUBJECTS,
} from '@natter/proto';
import { Bus, createLogger, ensureTopology } from '@natter/runtime';
import type { NatsServer } from '@natter/testkit';
import { onTestFinished } from 'vitest';
import { Rooms } from '../../src/rooms/rooms.ts';
import { roomsEndpoint } from '../../src/rooms/rooms-endpoint.ts';
import { StoreOpener } from '../../src/rooms/stores.ts';

const LOG = createLogger('test', 'silent');

export type Code = Extract<RoomsReply, { ok: false }>['code'];
export type Granted = Extract<RoomsReply, { ok: true }>;

export function asker(sub: string, more: Partial<Asker> = {}): Asker {
  return { sub, name: sub.toUpperCase(), admin: false, ...more };
}

export async function connect(server: NatsServer, topology = true): Promise<Bus> {
  const bus = await Bus.connect({ url: server.url, name: 'test' }, LOG);
  onTestFinished(() => bus.close());
  if (topology) await ensureTopology(bus, { replicas: 1, transcriptDays: 30 });
  return bus;
}

export interface RoomsUnderTest {
  bus: Bus;
  ask(request: RoomsRequest): Promise<RoomsReply>;
  /** The answer of a request that must succeed. */
  granted(request: RoomsRequest): Promise<Granted>;
  /** The code of a request that must be refused; `ok` when it was not. */
  code(request: RoomsRequest): Promise<Code | 'ok'>;
}

export interface Options {
  limits?: { membersPerRoom: number; roomsPerUser: number };
  topology?: boolean;
  now?: () => number;
}

/** One auth service's rooms and one gateway's way to ask them. */
export async function roomsUnderTest(server: NatsServer, options: Options = {}): Promise<RoomsUnderTest> {
  const bus = await connect(server, options.topology ?? true);
  const rooms = new Rooms({ log: LOG, ...options });
  const stores = new StoreOpener(bus, LOG, options.now);
  const endpoint = roomsEndpoint({ rooms, stores, log: LOG, count: () => undefined });
  const ask = async (request: RoomsRequest) => {
    const data = new TextEncoder().encode(JSON.stringify(request));
    const message = { subject: SUBJECTS.authRooms, data, header: () => undefined, respond: () => undefined };
    return RoomsReplySchema.parse(JSON.parse(String(await endpoint.handle(message))));
  };
  return {
    bus,
    ask,
    granted: async (request) => {
      const reply = await ask(request);
      if (!reply.ok) throw new Error(`${request.op}: ${reply.code}`);
      return reply;
    },
    code: async (request) => {
      const reply = await ask(request);
      return reply.ok ? 'ok' : reply.code;
    },
  };
}
