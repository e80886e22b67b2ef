/** What can go wrong on the bus, in words that don't depend on the client library. */
import { NoRespondersError, RequestError, TimeoutError } from '@nats-io/transport-node';
import { BusError } from './bus-error.ts';

export { BusError, type BusErrorCode, isBusError } from './bus-error.ts';

/** JetStream's code for a failed Nats-Expected-Last-Subject-Sequence (nats-server errors.json). */
const WRONG_LAST_SEQUENCE = new Set([10071, 10164]);

/** A full stream answers 503 as well (nats-server errors.json, JSStreamStoreFailedF). */
const STORE_FAILED = 10077;

/** The refusal in a JetStream reply. 503: no leader yet, so trying again is right. */
export function apiError(error: { code: number; err_code?: number; description?: string }): BusError {
  const text = error.description ?? `JetStream error ${error.code}`;
  if (/maximum messages per subject/i.test(text)) return new BusError('SUBJECT_FULL', text);
  if (error.err_code === STORE_FAILED || /maximum .*exceeded/i.test(text))
    return new BusError('REFUSED', text);
  if (WRONG_LAST_SEQUENCE.has(error.err_code ?? 0)) return new BusError('CONFLICT', text);
  return new BusError(error.code === 503 ? 'UNAVAILABLE' : 'REFUSED', text);
}

/** Any error of the client library as one of ours. */
export function asBusError(error: unknown): BusError {
  if (error instanceof BusError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const api = (error as { apiError?: () => Parameters<typeof apiError>[0] }).apiError;
  if (typeof api === 'function') return apiError(api.call(error));
  if (/permissions violation/i.test(message)) return new BusError('REFUSED', message, error);
  const passing =
    error instanceof TimeoutError || error instanceof NoRespondersError || error instanceof RequestError;
  if (passing) return new BusError('UNAVAILABLE', message, error);
  const name = error instanceof Error ? error.name : '';
  const down =
    /Connection|Timeout|NoResponders|Draining|JetStreamStatus/.test(name) ||
    /disconnect|closed/i.test(message);
  return new BusError(down ? 'UNAVAILABLE' : 'REFUSED', message, error);
}
