/** The endpoint `auth.rooms`: bounded, parsed, and every failure an answer. */
import { type RoomsReply, RoomsRequest, SUBJECTS } from '@natter/proto';
import { BusError, type Endpoint, type Logger } from '@natter/runtime';
import { requestJson } from '../request-json.ts';
import { WaitingLine } from '../waiting-line.ts';
import { RoomRefused } from './room-refused.ts';
import type { Rooms } from './rooms.ts';
import type { StoreOpener } from './stores.ts';

export interface RoomsEndpointParts {
  rooms: Rooms;
  stores: Pick<StoreOpener, 'open'>;
  log: Logger;
  /** Counts an answer. */
  count(op: string, result: string): void;
}

/** More of them would only make each other slower: the broker answers one after the other. */
const AT_ONCE = 128;
/** Everybody of a large room who comes back at once, at about 300 bytes each. */
const MAX_WAITING = 10_000;
const MAX_WAITING_BYTES = 16 * 1024 * 1024;
/** Gateways give up after 3 s by default (NATTER_AUTH_TIMEOUT_MS). */
const MAX_WAIT_MS = 2_500;
/** 256 keys of 1,024 characters, and the rest of the object. */
const MAX_REQUEST_BYTES = 320 * 1024;

export function roomsEndpoint(parts: RoomsEndpointParts): Endpoint {
  const line = new WaitingLine({
    atOnce: AT_ONCE,
    maxWaiting: MAX_WAITING,
    maxWaitingBytes: MAX_WAITING_BYTES,
    maxWaitMs: MAX_WAIT_MS,
    now: Date.now,
  });
  const refused = (code: Extract<RoomsReply, { ok: false }>['code']): RoomsReply => ({ ok: false, code });

  const answer = async (request: RoomsRequest): Promise<RoomsReply> => {
    try {
      return await parts.rooms.answer(await parts.stores.open(), request);
    } catch (err) {
      if (err instanceof RoomRefused) return refused(err.code);
      const level = err instanceof BusError && err.code === 'UNAVAILABLE' ? 'warn' : 'error';
      parts.log[level]({ err, op: request.op }, 'a request about rooms could not be answered');
      return refused('UNAVAILABLE');
    }
  };
  return {
    name: 'rooms',
    subject: SUBJECTS.authRooms,
    handle: async (message) => {
      const asked = RoomsRequest.safeParse(requestJson(message, MAX_REQUEST_BYTES));
      const reply = asked.success
        ? ((await line.run(message.data.length, () => answer(asked.data))) ?? refused('UNAVAILABLE'))
        : refused('INVALID_FIELD');
      parts.count(asked.success ? asked.data.op : 'unknown', reply.ok ? 'ok' : reply.code);
      return JSON.stringify(reply);
    },
  };
}
