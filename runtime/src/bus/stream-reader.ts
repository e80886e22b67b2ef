/**
 * Reads stored messages by direct get: no consumer on the broker, nothing to clean up.
 *
 * Speaks the protocol itself (NATS ADR-31): the library's batch get waits a fixed 5 s for an
 * answer and leaves a subscription behind each time.
 */
import { createInbox, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { apiError, BusError } from './errors.ts';
import { headOf, lastHeader } from './message-head.ts';
import type { RequestMux } from './request-mux.ts';
import { whileUnavailable } from './retry.ts';

export interface Stored {
  seq: number;
  subject: string;
  /** When the broker stored it, in milliseconds since 1970. */
  timeMs: number;
  data: Uint8Array;
  /** Last value of a header, or undefined. */
  header(name: string): string | undefined;
}

/** A read outlasts a restart of the broker, and the making of EVENTS after it. */
const READ_TIMEOUT_MS = 10_000;
/** Messages of one request: what a slow link brings before the silence is too long. */
const PAGE = 1_000;
/** Silence after which an answer is taken for lost. */
const SILENCE_MS = 1_500;

/** Statuses of ADR-31: the last message was sent; nothing matches. */
const END_OF_BATCH = 204;
const NOT_FOUND = 404;

const decoder = new TextDecoder();

export class StreamReader {
  readonly #nc: NatsConnection;
  readonly #inboxPrefix: string;
  readonly #requests: RequestMux;

  /** `inboxPrefix`: under which this service may listen for answers. */
  constructor(nc: NatsConnection, inboxPrefix: string, requests: RequestMux) {
    this.#nc = nc;
    this.#inboxPrefix = inboxPrefix;
    this.#requests = requests;
  }

  /** Messages of the subjects that match `filter` from a sequence on, oldest first, at most `limit`. */
  from(stream: string, filter: string, seq: number, limit: number): Promise<Stored[]> {
    return this.#read(stream, { seq: Math.max(1, seq), batch: limit, next_by_subj: filter });
  }

  /** As `from`, but from a time on, in milliseconds since 1970 by the broker's clock. */
  since(stream: string, filter: string, timeMs: number, limit: number): Promise<Stored[]> {
    const start_time = new Date(timeMs).toISOString();
    return this.#read(stream, { start_time, batch: limit, next_by_subj: filter });
  }

  /** All messages of one subject, oldest first; for subjects whose number of messages is bounded. */
  async all(stream: string, subject: string): Promise<Stored[]> {
    const found: Stored[] = [];
    for (let page: Stored[]; ; ) {
      page = await this.from(stream, subject, (found.at(-1)?.seq ?? 0) + 1, PAGE);
      found.push(...page);
      if (page.length < PAGE) return found;
    }
  }

  /** The last message of a subject, or null. */
  async last(stream: string, subject: string): Promise<Stored | null> {
    return this.#readOne(stream, { last_by_subj: subject });
  }

  /** The last message of all subjects that match `filter`, or null. */
  async newest(stream: string, filter: string): Promise<Stored | null> {
    return this.#readOne(stream, { last_by_subj: filter });
  }

  /** The last message of each subject that matches one of `filters`, oldest first; REFUSED above 1,024. */
  lastOfEach(stream: string, ...filters: string[]): Promise<Stored[]> {
    return this.#read(stream, { multi_last: filters });
  }

  /**
   * The same of these subjects, and up to which sequence of the stream whoever answered had everything.
   *
   * At most 1,000 subjects. `upTo` is 0 where none of them holds a message: nobody says it then.
   */
  async lastOf(stream: string, subjects: readonly string[]): Promise<{ found: Stored[]; upTo: number }> {
    let upTo = 0;
    const query = JSON.stringify({ multi_last: subjects });
    const found = await whileUnavailable(READ_TIMEOUT_MS, () =>
      this.#ask(stream, query, (end) => {
        upTo = Number(lastHeader(headOf(end), 'Nats-UpTo-Sequence') ?? 0);
      }),
    );
    return { found, upTo };
  }

  /** The message with this sequence, or null. */
  async at(stream: string, seq: number): Promise<Stored | null> {
    return this.#readOne(stream, { seq });
  }

  /**
   * The last message of a subject as the leader of the stream has it, or null; costs more than `last`.
   *
   * For what must not be stale: a replica may not have heard yet of what was acknowledged.
   */
  async lastFromLeader(stream: string, subject: string): Promise<Stored | null> {
    const query = JSON.stringify({ last_by_subj: subject });
    const answer = await whileUnavailable(READ_TIMEOUT_MS, () =>
      this.#requests.request(`$JS.API.STREAM.MSG.GET.${stream}`, query, SILENCE_MS),
    );
    const { error, message } = JSON.parse(decoder.decode(answer.data));
    if (error?.code === NOT_FOUND) return null;
    if (error) throw apiError(error);
    const head = Buffer.from(message.hdrs ?? '', 'base64').toString();
    return {
      seq: message.seq,
      subject: message.subject,
      timeMs: Date.parse(message.time),
      data: Buffer.from(message.data ?? '', 'base64'),
      header: (name) => lastHeader(head, name),
    };
  }

  /** A query without `batch` or `multi_last` is answered with one message, and no word behind it. */
  #readOne(stream: string, query: { last_by_subj: string } | { seq: number }): Promise<Stored | null> {
    const data = JSON.stringify(query);
    return whileUnavailable(READ_TIMEOUT_MS, async () => {
      // Over the mux: it costs the broker and us no subscription.
      const answer = await this.#requests.request(`$JS.API.DIRECT.GET.${stream}`, data, SILENCE_MS);
      const message = stored(answer);
      if (message !== null) return message;
      const { code = 500, description = '' } = answer.headers ?? {};
      if (code === NOT_FOUND) return null;
      throw apiError({ code, description });
    });
  }

  #read(stream: string, query: Record<string, unknown>): Promise<Stored[]> {
    return whileUnavailable(READ_TIMEOUT_MS, () => this.#ask(stream, JSON.stringify(query)));
  }

  async #ask(stream: string, query: string, ended?: (end: Msg) => void): Promise<Stored[]> {
    const { promise, resolve, reject } = Promise.withResolvers<Stored[]>();
    const found: Stored[] = [];
    const inbox = createInbox(this.#inboxPrefix);
    const silent = setTimeout(
      () => reject(new BusError('UNAVAILABLE', `no answer from ${stream}`)),
      SILENCE_MS,
    );
    const take = (error: Error | null, message: Msg) => {
      silent.refresh();
      if (error) return reject(error);
      const one = stored(message);
      if (one !== null) return void found.push(one);
      const { code = 500, description = '' } = message.headers ?? {};
      if (code === END_OF_BATCH || code === NOT_FOUND) {
        ended?.(message);
        resolve(found);
      } else reject(apiError({ code, description }));
    };
    let subscription: { unsubscribe(): void } | null = null;
    try {
      // Both throw when the connection is closed.
      subscription = this.#nc.subscribe(inbox, { callback: take });
      this.#nc.publish(`$JS.API.DIRECT.GET.${stream}`, query, { reply: inbox });
      return await promise;
    } finally {
      clearTimeout(silent);
      subscription?.unsubscribe();
    }
  }
}

/** Null for a status: messages carry no status code, statuses carry no sequence. */
function stored(message: Msg): Stored | null {
  const head = headOf(message);
  const seq = lastHeader(head, 'Nats-Sequence');
  if (seq === undefined) return null;
  return {
    seq: Number(seq),
    subject: lastHeader(head, 'Nats-Subject') ?? '',
    get timeMs() {
      // RFC 3339 with up to nine digits behind the second; Date.parse drops those behind the third.
      return Date.parse(lastHeader(head, 'Nats-Time-Stamp') ?? '');
    },
    data: message.data,
    header: (name) => lastHeader(head, name),
  };
}
