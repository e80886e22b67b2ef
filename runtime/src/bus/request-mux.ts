/**
 * Requests and their answers over one subscription.
 *
 * Each token is a request (its acknowledgement tells when the next may go), so this is the hot
 * path. The library's own mux makes an Error with a stack for every answered request, races two
 * promises, and leaves requests to their timeout when the connection is lost.
 */
import { createInbox, type Msg, type MsgHdrs, type NatsConnection } from '@nats-io/transport-node';
import { BusError } from './errors.ts';

interface Pending {
  subject: string;
  timer: NodeJS.Timeout;
  resolve(message: Msg): void;
  reject(error: BusError): void;
}

/** Status of an answer that the broker gives where nobody listens (NATS ADR-22). */
const NO_RESPONDERS = 503;

export class RequestMux {
  readonly #nc: NatsConnection;
  readonly #prefix: string;
  /** Bounded by what callers have under way: each of them waits for its answer. */
  readonly #pending = new Map<string, Pending>();
  #count = 0;

  constructor(nc: NatsConnection, inboxPrefix: string) {
    this.#nc = nc;
    this.#prefix = `${createInbox(inboxPrefix)}.`;
    nc.subscribe(`${this.#prefix}*`, {
      callback: (error, message) => {
        if (error === null) this.#answered(message);
      },
    });
  }

  /** Rejects with BusError UNAVAILABLE when nobody answers, in time or at all. */
  request(subject: string, data: Uint8Array | string, timeoutMs: number, headers?: MsgHdrs): Promise<Msg> {
    this.#count += 1;
    const id = this.#count.toString(36);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(new BusError('UNAVAILABLE', `no answer to ${subject} within ${timeoutMs} ms`));
      }, timeoutMs);
      this.#pending.set(id, { subject, timer, resolve, reject });
      try {
        const reply = this.#prefix + id;
        this.#nc.publish(subject, data, headers === undefined ? { reply } : { reply, headers });
      } catch (error) {
        this.#settle(id);
        throw error;
      }
    });
  }

  /** The connection is lost: no answer to what was asked on it can come any more. */
  disconnected(): void {
    this.#fail(() => true, new BusError('UNAVAILABLE', 'the connection to the broker was lost'));
  }

  /** The broker says that this service may not publish to a subject. */
  forbidden(subject: string, message: string): void {
    this.#fail((pending) => pending.subject === subject, new BusError('REFUSED', message));
  }

  #answered(message: Msg): void {
    const pending = this.#settle(message.subject.slice(this.#prefix.length));
    if (pending === undefined) return;
    if (message.data.length === 0 && message.headers?.code === NO_RESPONDERS) {
      pending.reject(new BusError('UNAVAILABLE', `nobody serves ${pending.subject}`));
    } else pending.resolve(message);
  }

  #settle(id: string): Pending | undefined {
    const pending = this.#pending.get(id);
    if (pending === undefined) return undefined;
    clearTimeout(pending.timer);
    this.#pending.delete(id);
    return pending;
  }

  #fail(matches: (pending: Pending) => boolean, error: BusError): void {
    for (const [id, pending] of this.#pending) {
      if (matches(pending)) this.#settle(id)?.reject(error);
    }
  }
}
