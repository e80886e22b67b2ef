/** The endpoint `auth.rooms`: bounded, parsed, and every failure an answer. */
import { type RoomsReply, RoomsRequest, SUBJECTS } from '@natter/proto';
import { BusError, type Endpoint, type Logger } from '@natter/runtime';
import { requestJson } from '../request-json.ts';
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

/** Each waits for a few round trips to the broker; gateways ask again after UNAVAILABLE. */
const MAX_UNDER_WAY = 500;
/** 256 keys of 1,024 characters, and the rest of the object. */
const MAX_REQUEST_BYTES = 320 * 1024;

export function roomsEndpoint(parts: RoomsEndpointParts): Endpoint {
  let underWay = 0;
  const refused = (code: Extract<RoomsReply, { ok: false }>['code']): RoomsReply => ({ ok: false, code });

  const answer = async (request: RoomsRequest): Promise<RoomsReply> => {
    if (underWay >= MAX_UNDER_WAY) return refused('UNAVAILABLE');
    underWay += 1;
    try {
      return await parts.rooms.answer(await parts.stores.open(), request);
    } catch (err) {
      if (err instanceof RoomRefused) return refused(err.code);
      const level = err instanceof BusError && err.code === 'UNAVAILABLE' ? 'warn' : 'error';
      parts.log[level]({ err, op: request.op }, 'a request about rooms could not be answered');
      return refused('UNAVAILABLE');
    } finally {
      underWay -= 1;
    }
  };
  return {
    name: 'rooms',
    subject: SUBJECTS.authRooms,
    handle: async (message) => {
      const asked = RoomsRequest.safeParse(requestJson(message, MAX_REQUEST_BYTES));
      const reply = asked.success ? await answer(asked.data) : refused('INVALID_FIELD');
      parts.count(asked.success ? asked.data.op : 'unknown', reply.ok ? 'ok' : reply.code);
      return JSON.stringify(reply);
    },
  };
}
