/**
 * Reads stored messages by direct get: no consumer on the broker, nothing to clean up.
 *
 * Speaks the protocol itself (NATS ADR-31): the library's batch get waits a fixed 5 s for an
 * answer and leaves a subscription behind each time.
 */
import { createInbox, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { apiError, BusError } from './errors.ts';
import { whileUnavailable } from './retry.ts';

export interface Stored {
  seq: number;
  subject: string;
  data: Uint8Array;
}

/** A read outlasts a restart of the broker, and the making of EVENTS after it. */
const READ_TIMEOUT_MS = 10_000;
/** Silence after which an answer is taken for lost. */
const SILENCE_MS = 1_500;

/** Statuses of ADR-31: the last message was sent; nothing matches. */
const END_OF_BATCH = 204;
const NOT_FOUND = 404;

export class StreamReader {
  readonly #nc: NatsConnection;
  readonly #inboxPrefix: string;

  /** `inboxPrefix`: under which this service may listen for answers. */
  constructor(nc: NatsConnection, inboxPrefix: string) {
    this.#nc = nc;
    this.#inboxPrefix = inboxPrefix;
  }

  /** Messages of the subjects that match `filter` from a sequence on, oldest first, at most `limit`. */
  from(stream: string, filter: string, seq: number, limit: number): Promise<Stored[]> {
    return this.#read(stream, { seq: Math.max(1, seq), batch: limit, next_by_subj: filter });
  }

  /** The last message of a subject, or null. */
  async last(stream: string, subject: string): Promise<Stored | null> {
    const found = await this.#read(stream, { multi_last: [subject], batch: 1 });
    return found[0] ?? null;
  }

  /** The last message of a subject with a sequence below `seq`, or null. */
  async lastBefore(stream: string, subject: string, seq: number): Promise<Stored | null> {
    if (seq <= 1) return null;
    const found = await this.#read(stream, { multi_last: [subject], up_to_seq: seq - 1, batch: 1 });
    return found[0] ?? null;
  }

  /** The message with this sequence, or null. */
  async at(stream: string, seq: number): Promise<Stored | null> {
    const [found] = await this.#read(stream, { seq, batch: 1 });
    return found?.seq === seq ? found : null;
  }

  #read(stream: string, query: object): Promise<Stored[]> {
    return whileUnavailable(READ_TIMEOUT_MS, () => this.#ask(stream, JSON.stringify(query)));
  }

  #ask(stream: string, query: string): Promise<Stored[]> {
    const { promise, resolve, reject } = Promise.withResolvers<Stored[]>();
    const found: Stored[] = [];
    const inbox = createInbox(this.#inboxPrefix);
    const silent = setTimeout(
      () => reject(new BusError('UNAVAILABLE', `no answer from ${stream}`)),
      SILENCE_MS,
    );
    const subscription = this.#nc.subscribe(inbox, {
      callback: (error, message) => {
        silent.refresh();
        if (error) reject(error);
        else if (isMessage(message)) found.push(stored(message));
        else if (message.headers?.code === END_OF_BATCH || message.headers?.code === NOT_FOUND)
          resolve(found);
        else
          reject(
            apiError({ code: message.headers?.code ?? 500, description: message.headers?.description ?? '' }),
          );
      },
    });
    this.#nc.publish(`$JS.API.DIRECT.GET.${stream}`, query, { reply: inbox });
    return promise.finally(() => {
      clearTimeout(silent);
      subscription.unsubscribe();
    });
  }
}

/** Messages carry no status code; statuses carry no sequence. */
function isMessage(message: Msg): boolean {
  return message.headers?.has('Nats-Sequence') === true;
}

function stored(message: Msg): Stored {
  const { headers, data } = message;
  return { seq: Number(headers?.get('Nats-Sequence')), subject: headers?.get('Nats-Subject') ?? '', data };
}
