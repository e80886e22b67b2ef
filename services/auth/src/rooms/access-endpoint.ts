/** The endpoint `auth.access_many`: who may be where, of many users at once. */
import { type AccessManyReply, AccessManyRequest, SUBJECTS } from '@natter/proto';
import type { Endpoint } from '@natter/runtime';
import { requestJson } from '../request-json.ts';
import { WaitingLine } from '../waiting-line.ts';
import type { RoomsEndpointParts } from './rooms-endpoint.ts';

/** Each is two reads of the broker, which answers one after the other. */
const AT_ONCE = 16;
/** 5,000 who come back at once are some hundred requests. */
const MAX_WAITING = 1_000;
const MAX_WAITING_BYTES = 16 * 1024 * 1024;
/** Gateways give up after 3 s by default (NATTER_AUTH_TIMEOUT_MS). */
const MAX_WAIT_MS = 2_500;
/** What gateways put into one request, escaped sixfold. */
const MAX_REQUEST_BYTES = 1024 * 1024;

export function accessEndpoint({ rooms, stores, log, count }: RoomsEndpointParts): Endpoint {
  const line = new WaitingLine({
    atOnce: AT_ONCE,
    maxWaiting: MAX_WAITING,
    maxWaitingBytes: MAX_WAITING_BYTES,
    maxWaitMs: MAX_WAIT_MS,
    now: Date.now,
  });
  const refused = (code: 'INVALID_FIELD' | 'UNAVAILABLE'): AccessManyReply => ({ ok: false, code });

  const answer = async ({ asks }: AccessManyRequest): Promise<AccessManyReply> => {
    try {
      return { ok: true, views: await rooms.accesses(await stores.open(), asks) };
    } catch (err) {
      log.warn({ err, asks: asks.length }, 'who may be where could not be answered');
      return refused('UNAVAILABLE');
    }
  };
  return {
    name: 'access_many',
    subject: SUBJECTS.authAccessMany,
    handle: async (message) => {
      const asked = AccessManyRequest.safeParse(requestJson(message, MAX_REQUEST_BYTES));
      const reply = asked.success
        ? ((await line.run(message.data.length, () => answer(asked.data))) ?? refused('UNAVAILABLE'))
        : refused('INVALID_FIELD');
      count('access_many', reply.ok ? 'ok' : reply.code);
      return JSON.stringify(reply);
    },
  };
}
