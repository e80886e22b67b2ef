/** Rooms on a test's own broker, asked as gateways ask: over the bus, through the endpoint. */
import {
  AccessManyReply,
  type AccessManyRequest,
  type RoomsReply,
  RoomsReply as RoomsReplySchema,
  type RoomsRequest,
  SUBJECTS,
} from '@natter/proto';
import { Bus, createLogger, ensureTopology, type ServiceName } from '@natter/runtime';
import { type NatsServer, startNatsServer } from '@natter/testkit';
import { onTestFinished } from 'vitest';
import { accessEndpoint } from '../../src/rooms/access-endpoint.ts';
import type { RoomLimits } from '../../src/rooms/places.ts';
import { Rooms } from '../../src/rooms/rooms.ts';
import { roomsEndpoint } from '../../src/rooms/rooms-endpoint.ts';
import { StoreOpener } from '../../src/rooms/stores.ts';

const LOG = createLogger('test', 'silent');

export type Code = Extract<RoomsReply, { ok: false }>['code'];
export type Granted = Extract<RoomsReply, { ok: true }>;

/** A broker as `npm start` starts it, with what agents make; each service may do what it needs only. */
export async function brokerWithBuckets(): Promise<NatsServer> {
  const server = await startNatsServer({ signIn: true });
  await makeBuckets(server);
  return server;
}

export async function makeBuckets(server: NatsServer): Promise<void> {
  const agent = await connectAs(server, 'agent');
  await ensureTopology(agent, { replicas: 1, transcriptDays: 30 });
  await agent.close();
}

export function connectAs(server: NatsServer, name: ServiceName): Promise<Bus> {
  return Bus.connect({ url: server.url, name, nkeyFile: server.keyFile(name) ?? null }, LOG);
}

export interface RoomsUnderTest {
  bus: Bus;
  ask(request: RoomsRequest): Promise<RoomsReply>;
  /** Ids of the rooms that users may be in, or null. */
  accesses(asks: AccessManyRequest['asks']): Promise<(string | null)[]>;
  /** The answer of a request that must succeed. */
  granted(request: RoomsRequest): Promise<Granted>;
  /** The code of a request that must be refused; `ok` when it was not. */
  code(request: RoomsRequest): Promise<Code | 'ok'>;
}

export interface Options {
  limits?: Partial<RoomLimits>;
  now?: () => number;
}

/** One auth service's rooms and one gateway's way to ask them. */
export async function roomsUnderTest(server: NatsServer, options: Options = {}): Promise<RoomsUnderTest> {
  const bus = await connectAs(server, 'auth');
  onTestFinished(() => bus.close());
  const rooms = new Rooms({ log: LOG, ...options });
  const stores = new StoreOpener(bus, LOG, options.now);
  const endpoint = roomsEndpoint({ rooms, stores, log: LOG, count: () => undefined });
  const ask = async (request: RoomsRequest) => {
    const data = new TextEncoder().encode(JSON.stringify(request));
    const message = { subject: SUBJECTS.authRooms, data, header: () => undefined, respond: () => undefined };
    return RoomsReplySchema.parse(JSON.parse(String(await endpoint.handle(message))));
  };
  const many = accessEndpoint({ rooms, stores, log: LOG, count: () => undefined });
  return {
    bus,
    ask,
    accesses: async (asks) => {
      const data = new TextEncoder().encode(JSON.stringify({ asks }));
      const message = { subject: many.subject, data, header: () => undefined, respond: () => undefined };
      const reply = AccessManyReply.parse(JSON.parse(String(await many.handle(message))));
      if (!reply.ok) throw new Error(reply.code);
      return reply.views.map((view) => view?.room.id ?? null);
    },
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
