/** Errors of the SDK and of fetch as ours. */
import { APIConnectionError, APIConnectionTimeoutError, APIError } from 'openai';
import { ModelError } from '../model-error.ts';

/** Any error of a request as a ModelError; the original is its cause. */
export function asModelError(error: unknown): ModelError {
  if (error instanceof ModelError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof APIConnectionTimeoutError)
    return new ModelError('TIMEOUT', message, { cause: error, retryable: true });
  if (error instanceof APIConnectionError)
    return new ModelError('UNREACHABLE', message, { cause: error, retryable: true });
  if (error instanceof APIError) return ofStatus(error, message);
  if (error instanceof SyntaxError) return new ModelError('BAD_REPLY', message, { cause: error });
  // What is left comes from fetch while it reads the body: `TypeError: terminated` and the like.
  return new ModelError('CUT_OFF', message, { cause: error, retryable: true });
}

function ofStatus(error: APIError, message: string): ModelError {
  const status = error.status ?? statusInBody(error);
  const details = { cause: error, retryAfterMs: retryAfterMs(error.headers) };
  if (status === 429) return new ModelError('RATE_LIMITED', message, { ...details, retryable: true });
  if (status === 408) return new ModelError('TIMEOUT', message, { ...details, retryable: true });
  if (status !== undefined && status >= 500)
    return new ModelError('UNREACHABLE', message, { ...details, retryable: true });
  return new ModelError('REFUSED', message, { ...details, retryable: status === 409 });
}

/** A stream that began well can carry an error object; OpenRouter puts the status into `code`. */
function statusInBody(error: APIError): number | undefined {
  const status = Number((error.error as { code?: unknown } | undefined)?.code);
  return Number.isInteger(status) ? status : undefined;
}

/** `retry-after-ms`, or `retry-after` in seconds or as a date (RFC 9110 section 10.2.3). */
export function retryAfterMs(headers: Headers | undefined, now = Date.now()): number | null {
  const exact = headers?.get('retry-after-ms');
  if (exact) return atLeastZero(Number(exact));
  const text = headers?.get('retry-after');
  if (!text) return null;
  const seconds = Number(text);
  return atLeastZero(Number.isNaN(seconds) ? Date.parse(text) - now : seconds * 1_000);
}

function atLeastZero(ms: number): number | null {
  return Number.isNaN(ms) ? null : Math.max(0, ms);
}
