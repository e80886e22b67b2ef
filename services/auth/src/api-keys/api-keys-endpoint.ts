/** The endpoint `auth.api_keys`: bounded, parsed, and every failure an answer. */
import { type ApiKeysReply, ApiKeysRequest, SUBJECTS } from '@natter/proto';
import { BusError, type Endpoint, type Logger } from '@natter/runtime';
import { requestJson } from '../request-json.ts';
import { WaitingLine } from '../waiting-line.ts';
import type { ApiKeys } from './api-keys.ts';

export interface ApiKeysEndpointParts {
  apiKeys: Pick<ApiKeys, 'answer'>;
  log: Logger;
  /** Counts an answer. */
  count(op: string, result: string): void;
}

/** One after the other: admins ask rarely, and each of them reads all keys. */
const AT_ONCE = 1;
const MAX_WAITING = 64;
const MAX_REQUEST_BYTES = 4_096;
/** Gateways give up after 3 s by default (NATTER_AUTH_TIMEOUT_MS). */
const MAX_WAIT_MS = 2_500;

export function apiKeysEndpoint({ apiKeys, log, count }: ApiKeysEndpointParts): Endpoint {
  const line = new WaitingLine({
    atOnce: AT_ONCE,
    maxWaiting: MAX_WAITING,
    maxWaitingBytes: MAX_WAITING * MAX_REQUEST_BYTES,
    maxWaitMs: MAX_WAIT_MS,
    now: Date.now,
  });
  const unavailable: ApiKeysReply = { ok: false, reason: 'unavailable' };

  const answer = async (request: ApiKeysRequest): Promise<ApiKeysReply> => {
    try {
      return await apiKeys.answer(request);
    } catch (err) {
      const level = err instanceof BusError && err.code === 'UNAVAILABLE' ? 'warn' : 'error';
      log[level]({ err, op: request.op }, 'a request about API keys could not be answered');
      return unavailable;
    }
  };
  return {
    name: 'api_keys',
    subject: SUBJECTS.authApiKeys,
    handle: async (message) => {
      const asked = ApiKeysRequest.safeParse(requestJson(message, MAX_REQUEST_BYTES));
      const reply: ApiKeysReply = asked.success
        ? ((await line.run(message.data.length, () => answer(asked.data))) ?? unavailable)
        : { ok: false, reason: 'invalid' };
      count(asked.success ? asked.data.op : 'unknown', reply.ok ? 'ok' : reply.reason);
      return JSON.stringify(reply);
    },
  };
}
