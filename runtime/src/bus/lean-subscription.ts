/** A subscription with a callback, without what the client library makes for iterators. */
import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';

/** Fields of the library's class (nats-core 3.4, queued_iterator.js and protocol.js). */
interface Inside {
  signal: unknown;
  iterClosed: unknown;
  closed: unknown;
  yields: unknown;
  subject: string;
  /** "data is for use by extenders in any way they like" */
  _data: unknown;
}

/** Gets each message of a subscription with the handler that was given for it. */
export type Hear<H> = (handler: H, error: Error | null, message: Msg, subject: string) => void;
/** For `subscribeLean`. */
export type LeanCallback = (error: Error | null, message: Msg) => void;

/** The library settles these when a subscription ends. */
const NOBODY_WAITS = Object.assign(Promise.resolve(), { resolve: () => undefined, reject: () => undefined });
/** Only iterators put something into it. */
const NOTHING: readonly never[] = Object.freeze([]);

/**
 * A callback for every subscription made by `subscribeLean`, which calls `hear` with its handler.
 *
 * The library calls it as a method of the subscription; a closure for each took 170 bytes.
 */
export function callbackOf<H>(hear: Hear<H>): LeanCallback {
  return function callback(this: unknown, error: Error | null, message: Msg): void {
    const { _data: handler, subject } = this as Inside;
    hear(handler as H, error, message, subject);
  };
}

/** `callback` is of `callbackOf`. */
export function subscribeLean(
  nc: NatsConnection,
  callback: LeanCallback,
  subject: string,
  handler: unknown,
  queue: string | undefined,
): LeanSubscription {
  const subscription = nc.subscribe(subject, queue === undefined ? { callback } : { callback, queue });
  (subscription as unknown as Inside)._data = handler;
  return new LeanSubscription(leanSubscription(subscription));
}

/** What the subscriber gets: an object of its own, as the library's `close` does not tell the broker. */
class LeanSubscription {
  readonly #subscription: Subscription;

  constructor(subscription: Subscription) {
    this.#subscription = subscription;
  }

  close(): void {
    this.#subscription.unsubscribe();
  }
}

/**
 * Takes three promises from it, and the functions that settle them, for which nobody can wait: 700 of
 * 1,300 bytes. A gateway has one for each user and each conversation.
 */
export function leanSubscription(subscription: Subscription): Subscription {
  const inside = subscription as unknown as Inside;
  inside.signal = NOBODY_WAITS;
  inside.iterClosed = NOBODY_WAITS;
  inside.closed = NOBODY_WAITS;
  inside.yields = NOTHING;
  return subscription;
}
