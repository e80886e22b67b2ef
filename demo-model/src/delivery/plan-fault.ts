/** What a fault makes of a completion that is about to be sent. */
import type { Behaviour, Fault } from '../behaviour/behaviour.ts';
import { ApiError } from '../http/api-error.ts';
import type { StreamFrames } from '../wire/completion.ts';
import { Pace } from './pace.ts';
import type { StreamPlan } from './stream-delivery.ts';

/** A half-written event, as a provider's proxy leaves it when it breaks. */
export const GARBAGE = '{"id":"chatcmpl-broken","choices":[{"delta":{"con';

/** The error of a `status` fault, with the type and code that OpenAI uses for it. */
export function statusError(fault: Fault & { kind: 'status' }): ApiError {
  const { status, retryAfter } = fault;
  const code = status === 429 ? 'rate_limit_exceeded' : status === 401 ? 'invalid_api_key' : 'demo_fault';
  return new ApiError({
    status,
    code,
    message: `The demo model was told to answer with status ${status}.`,
    headers: retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) },
  });
}

export function paceOf(behaviour: Behaviour, fault: Fault, startedAt: number): Pace {
  if (fault.kind !== 'slow') return new Pace(startedAt, behaviour.firstTokenMs, behaviour.tokensPerSecond);
  return new Pace(startedAt, fault.firstTokenMs ?? 3_000, fault.tokensPerSecond ?? 1);
}

/** Faults strike at the end of answers shorter than `afterTokens`: a stream hit never ends well. */
export function planStream(frames: StreamFrames, fault: Fault): StreamPlan {
  if (fault.kind !== 'cut' && fault.kind !== 'garbage') return { ...frames, end: 'finish' };
  const count = Math.min(fault.afterTokens, frames.count);
  return fault.kind === 'cut'
    ? { ...frames, count, tail: '', end: 'cut' }
    : { ...frames, count, tail: `data: ${GARBAGE}\n\n`, end: 'finish' };
}
