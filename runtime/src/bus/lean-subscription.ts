/** A subscription with a callback, without what the client library makes for iterators. */
import type { Subscription } from '@nats-io/transport-node';

/** Fields of the library's class (nats-core 3.4, queued_iterator.js and protocol.js). */
interface Inside {
  signal: unknown;
  iterClosed: unknown;
  closed: unknown;
}

/** The library settles these when a subscription ends. */
const NOBODY_WAITS = Object.assign(Promise.resolve(), { resolve: () => undefined, reject: () => undefined });

/**
 * Takes three promises from it, and the functions that settle them, for which nobody can wait: 700 of
 * 1,300 bytes. A gateway has one for each user and each conversation.
 */
export function leanSubscription(subscription: Subscription): Subscription {
  const inside = subscription as unknown as Inside;
  inside.signal = NOBODY_WAITS;
  inside.iterClosed = NOBODY_WAITS;
  inside.closed = NOBODY_WAITS;
  return subscription;
}
