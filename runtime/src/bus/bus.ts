/** The bus: everything a service does with NATS. The only room that knows the client library. */
import { type JetStreamClient, type JetStreamManager, jetstream } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { type Service, Svcm } from '@nats-io/services';
import { type Msg, type NatsConnection, PermissionViolationError } from '@nats-io/transport-node';
import type { Logger } from '../logger.ts';
import { appendHeaders } from './append-headers.ts';
import { Bucket } from './bucket.ts';
import { Bulk } from './bulk/bulk.ts';
import { type BusOptions, dial, inboxPrefix } from './connect.ts';
import { apiError, asBusError, BusError } from './errors.ts';
import { callbackOf, type LeanCallback, subscribeLean } from './lean-subscription.ts';
import { Puller } from './puller.ts';
import { RequestMux } from './request-mux.ts';
import { whileUnavailable } from './retry.ts';
import { type Scatter, scatter } from './scatter.ts';
import { lifeOf } from './stream-life.ts';
import { StreamReader } from './stream-reader.ts';

export interface BusMessage {
  subject: string;
  /** Valid for ever; the library allocates one per message. */
  data: Uint8Array;
  /** Last value of a header, or undefined. Headers are parsed at the first call. */
  header(name: string): string | undefined;
  /** Answers a request; does nothing for a message that expects no answer. */
  respond(data: Uint8Array | string): void;
}

export interface Subscription {
  close(): void;
}

export interface AppendOptions {
  /** Nats-Msg-Id: the stream keeps one message of an id within its dedupe window. */
  id?: string;
  /** Refuse with CONFLICT unless the subject's last message has this sequence; 0 for none. */
  expectLast?: number;
  traceparent?: string;
  /** How long to go on trying, in milliseconds. */
  timeoutMs?: number;
  /** Takes the place of all earlier messages of the subject, where the stream allows it. */
  rollup?: boolean;
  /** Tries once only, for a caller that repeats by itself and keeps an order. */
  once?: boolean;
}

export interface Appended {
  seq: number;
  duplicate: boolean;
}

/** Of an empty stream `firstSeq` is `lastSeq` + 1; `lastSeq` is 0 before the first message. */
export interface StreamState {
  firstSeq: number;
  lastSeq: number;
}

export interface Endpoint {
  /** Name within the service, for discovery. */
  name: string;
  subject: string;
  /** Answers a request. What it throws is logged and answered with an empty error 500. */
  handle(request: BusMessage): Promise<Uint8Array | string> | Uint8Array | string;
}

const decoder = new TextDecoder();

export class Bus {
  readonly #nc: NatsConnection;
  readonly #js: JetStreamClient;
  readonly #jsm: JetStreamManager;
  readonly #reader: StreamReader;
  readonly #requests: RequestMux;
  readonly #bulk: Bulk;
  readonly #inboxPrefix: string;
  readonly #log: Logger;
  /** One for all subscriptions. */
  readonly #callback: LeanCallback;
  readonly #reconnected = new Set<() => void | Promise<void>>();
  readonly #disconnected = new Set<() => void>();
  readonly #closing = new Set<() => Promise<void>>();
  readonly #services: Service[] = [];
  readonly #answers = new Set<Promise<void>>();
  #connected = true;

  static async connect(options: BusOptions, log: Logger): Promise<Bus> {
    const nc = await dial(options);
    const js = jetstream(nc, { timeout: 3_000 });
    // No check of the account here: a broker that still recovers its streams would refuse it.
    return new Bus(nc, js, await js.jetstreamManager(false), options, log);
  }

  private constructor(
    nc: NatsConnection,
    js: JetStreamClient,
    jsm: JetStreamManager,
    options: BusOptions,
    log: Logger,
  ) {
    this.#nc = nc;
    this.#js = js;
    this.#jsm = jsm;
    this.#inboxPrefix = inboxPrefix(options.name);
    this.#requests = new RequestMux(nc, this.#inboxPrefix);
    this.#reader = new StreamReader(nc, this.#inboxPrefix, this.#requests);
    this.#bulk = new Bulk({
      ...{ options, inboxPrefix: this.#inboxPrefix, reader: this.#reader },
      server: () => nc.getServer(),
      connected: () => this.connected,
      append: (subject, data, appendOptions) => this.append(subject, data, appendOptions),
    });
    this.#log = log;
    this.#callback = callbackOf((handler: (message: BusMessage) => void, error, message, subject) => {
      if (error) return log.error({ err: error, subject }, 'subscription failed');
      // A throw in here would end the connection's read loop (PITFALLS).
      try {
        handler(wrap(message));
      } catch (err) {
        log.error({ err, subject }, 'a handler threw');
      }
    });
    void this.#followStatus();
  }

  /** Whether there is a connection now. Without one, nothing that is published arrives. */
  get connected(): boolean {
    return this.#connected && !this.#nc.isClosed();
  }

  /** Whether it was closed for good. */
  get closed(): boolean {
    return this.#nc.isClosed();
  }

  /** Most bytes of one message, as the broker said when it was connected to last. */
  get maxPayload(): number {
    return this.#nc.info?.max_payload ?? 0;
  }

  /** Library handles for the other files of this folder. */
  get internals(): { jsm: JetStreamManager; js: JetStreamClient } {
    return { jsm: this.#jsm, js: this.#js };
  }

  /** Calls back when the connection is lost. */
  onDisconnect(callback: () => void): void {
    this.#disconnected.add(callback);
  }

  /** Calls back after each reconnect, when subscriptions are in place again. */
  onReconnect(callback: () => void | Promise<void>): void {
    this.#reconnected.add(callback);
  }

  /** Calls back when the bus is to be closed, and waits for it: what comes last is sent then. */
  beforeClose(callback: () => Promise<void>): void {
    this.#closing.add(callback);
  }

  /** Publishes without storing; lost when nobody listens or the connection is down. */
  publish(subject: string, data: Uint8Array | string): void {
    this.#nc.publish(subject, data);
  }

  /** Calls `handler` for each message. An error it throws is logged and ends nothing. */
  subscribe(subject: string, handler: (message: BusMessage) => void, queue?: string): Subscription {
    return subscribeLean(this.#nc, this.#callback, subject, handler, queue);
  }

  /** Asks one service; throws BusError UNAVAILABLE when none answers in time. */
  async request(subject: string, data: Uint8Array | string, timeoutMs: number): Promise<Uint8Array> {
    try {
      const reply = await this.#requests.request(subject, data, timeoutMs);
      const failure = reply.headers?.get('Nats-Service-Error');
      if (failure) throw new BusError('REFUSED', failure);
      return reply.data;
    } catch (error) {
      throw asBusError(error);
    }
  }

  /**
   * Asks everybody who listens; resolves with what `max` of them answered, or fewer at the deadline.
   *
   * Throws BusError UNAVAILABLE without a connection.
   */
  async requestMany(subject: string, data: Uint8Array | string, options: Scatter): Promise<Uint8Array[]> {
    if (!this.connected) throw new BusError('UNAVAILABLE', 'not connected to the broker');
    try {
      return await scatter(this.#nc, this.#inboxPrefix, subject, data, options);
    } catch (error) {
      throw asBusError(error);
    }
  }

  /**
   * Stores a message and returns once the broker has it.
   *
   * Goes on trying while the broker is away, until `timeoutMs` (default 5,000). That needs `id`
   * or `expectLast`, which make a repeat harmless. After a lost acknowledgement, `expectLast`
   * answers CONFLICT although the first try was stored: the caller reads back and knows.
   */
  async append(subject: string, data: Uint8Array | string, options: AppendOptions = {}): Promise<Appended> {
    const timeoutMs = options.timeoutMs ?? 5_000;
    const repeatable = options.id !== undefined || options.expectLast !== undefined;
    const repeats = repeatable && options.once !== true;
    const deadline = Date.now() + timeoutMs;
    const attempt = (remainingMs: number) =>
      this.#appendOnce(subject, data, options, Math.max(50, Math.min(2_000, remainingMs)));
    try {
      return await (repeats ? attempt(timeoutMs) : this.#appendOnce(subject, data, options, timeoutMs));
    } catch (error) {
      // Each token is an append, and hardly any fails: what a repeat needs is made only then.
      const reason = asBusError(error);
      const remainingMs = deadline - Date.now();
      if (!repeats || reason.code !== 'UNAVAILABLE' || remainingMs <= 0) throw reason;
      return whileUnavailable(remainingMs, attempt);
    }
  }

  async #appendOnce(
    subject: string,
    data: Uint8Array | string,
    options: AppendOptions,
    timeoutMs: number,
  ): Promise<Appended> {
    if (!this.connected) throw new BusError('UNAVAILABLE', 'not connected to the broker');
    const reply = await this.#requests.request(subject, data, timeoutMs, appendHeaders(options));
    const ack = JSON.parse(decoder.decode(reply.data));
    if (ack.error) throw apiError(ack.error);
    return { seq: ack.seq, duplicate: ack.duplicate === true };
  }

  /** Reads what streams hold; every read goes on trying while the broker is away, for 10 s. */
  get stored(): StreamReader {
    return this.#reader;
  }

  /** Stores and reads messages of 64 KiB and more, for less than `append` and `stored` do. */
  get bulk(): Bulk {
    return this.#bulk;
  }

  /** Whether the stream exists; false also when nobody can tell. */
  async hasStream(name: string): Promise<boolean> {
    return this.#jsm.streams.info(name).then(
      () => true,
      () => false,
    );
  }

  /** Another text for each time a stream is made; goes on trying while the broker is away. */
  streamCreated(name: string): Promise<string> {
    return whileUnavailable(10_000, async () => lifeOf(await this.#jsm.streams.info(name)));
  }

  /** Which sequences a stream holds now; goes on trying while the broker is away. */
  streamState(name: string): Promise<StreamState> {
    return whileUnavailable(10_000, async () => {
      const { state } = await this.#jsm.streams.info(name);
      // The broker says 0 for the first one of a stream that never had any.
      return { firstSeq: Math.max(1, state.first_seq), lastSeq: state.last_seq };
    });
  }

  /**
   * Subjects that match `filter` and hold a message, in no order; goes on trying while the broker is away.
   *
   * The leader of the stream answers, so what was acknowledged before is among them.
   */
  subjectsOf(stream: string, filter: string): Promise<string[]> {
    return whileUnavailable(10_000, async () => {
      // The library asks for all pages of 100,000 subjects.
      const { state } = await this.#jsm.streams.info(stream, { subjects_filter: filter });
      return Object.keys(state.subjects ?? {});
    });
  }

  /** Takes away what the subjects that match `filter` hold; goes on trying while the broker is away. */
  async purge(stream: string, filter: string): Promise<void> {
    await whileUnavailable(10_000, () => this.#jsm.streams.purge(stream, { filter }));
  }

  /** Takes messages from a durable consumer. */
  puller(stream: string, consumer: string): Puller {
    return new Puller(this.#js, stream, consumer, this.#log);
  }

  /** Opens a bucket that `ensureTopology` has made. */
  async bucket(name: string): Promise<Bucket> {
    return new Bucket(await new Kvm(this.#js).open(name), this.#requests, this.#reader, name);
  }

  /** Registers a service that `nats micro` can discover; its instances share the requests. */
  async serve(name: string, version: string, description: string, endpoints: Endpoint[]): Promise<void> {
    const service = await new Svcm(this.#nc).add({ name, version, description, queue: name });
    this.#services.push(service);
    for (const endpoint of endpoints) {
      service.addEndpoint(endpoint.name, {
        subject: endpoint.subject,
        handler: (error, message) => {
          if (error) return this.#log.error({ err: error, endpoint: endpoint.name }, 'endpoint failed');
          const answer = this.#answer(endpoint, message).finally(() => this.#answers.delete(answer));
          this.#answers.add(answer);
        },
      });
    }
    // From here on the broker knows: whoever asks now finds it.
    await this.#nc.flush();
  }

  async #answer(
    endpoint: Endpoint,
    message: Msg & { respondError(code: number, text: string): boolean },
  ): Promise<void> {
    try {
      const reply = await endpoint.handle(wrap(message));
      if (!this.#nc.isClosed()) message.respond(reply);
    } catch (err) {
      this.#log.error({ err, endpoint: endpoint.name }, 'a request could not be answered');
      if (!this.#nc.isClosed()) message.respondError(500, 'internal error');
    }
  }

  /** Sends what is buffered, ends subscriptions after what has arrived, and closes. */
  async close(): Promise<void> {
    for (const callback of this.#closing) await this.#guard(callback);
    if (this.#nc.isClosed() || !this.#connected) this.#bulk.close();
    if (this.#nc.isClosed()) return;
    if (!this.#connected) return this.#nc.close();
    // A drain ends at once after the last request has come in; its answer may take longer.
    await Promise.all(this.#services.map((service) => service.stop()));
    await Promise.all(this.#answers);
    this.#bulk.close();
    await this.#nc.drain().catch((err) => this.#log.warn({ err }, 'drain failed'));
  }

  async #followStatus(): Promise<void> {
    for await (const status of this.#nc.status()) {
      if (status.type === 'disconnect') {
        this.#connected = false;
        this.#requests.disconnected();
        for (const callback of this.#disconnected) void this.#guard(callback);
        this.#log.warn('disconnected from the broker');
      } else if (status.type === 'reconnect') {
        this.#connected = true;
        this.#log.info('reconnected to the broker');
        for (const callback of this.#reconnected) void this.#guard(callback);
      } else if (status.type === 'error') {
        const { error } = status;
        if (error instanceof PermissionViolationError) this.#requests.forbidden(error.subject, error.message);
        this.#log.error({ err: error }, 'broker reported an error');
      }
    }
    this.#connected = false;
    this.#requests.disconnected();
  }

  async #guard(callback: () => void | Promise<void>): Promise<void> {
    try {
      await callback();
    } catch (err) {
      this.#log.error({ err }, 'a callback of the bus threw');
    }
  }
}

function wrap(message: Msg): BusMessage {
  return {
    subject: message.subject,
    data: message.data,
    // The broker adds its own behind those of the publisher, who may have claimed to be it.
    header: (name) => message.headers?.last(name) || undefined,
    respond: (data) => void message.respond(data),
  };
}
