/** Ends work that takes too long, or whose run is cancelled. */
import { KnowledgeError } from './knowledge-error.ts';

/**
 * What `work` resolves to. Rejects with the reason of `signal` once that is aborted, and with a
 * KnowledgeError after `ms`; either way `over` is aborted, and nobody hears of the work again.
 */
export async function within<T>(
  ms: number,
  signal: AbortSignal,
  work: (over: AbortSignal) => Promise<T>,
): Promise<T> {
  // An event that was before is not heard of.
  signal.throwIfAborted();
  const over = new AbortController();
  const { promise: ended, reject } = Promise.withResolvers<never>();
  const end = (reason: unknown) => {
    over.abort(reason);
    reject(reason);
  };
  const cancel = () => end(signal.reason);
  const timer = setTimeout(() => end(new KnowledgeError(`no answer within ${ms} ms`)), ms);
  signal.addEventListener('abort', cancel, { once: true });
  try {
    return await Promise.race([work(over.signal), ended]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', cancel);
  }
}
