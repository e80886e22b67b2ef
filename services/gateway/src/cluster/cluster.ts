/** The gateways that live, and questions that all of them answer. */
import { randomBytes } from 'node:crypto';
import { GatewayAlive, type GatewayAnswer, GatewayQuestion, GatewayReply, SUBJECTS } from '@natter/proto';
import type { Bus, BusMessage, Logger, Subscription } from '@natter/runtime';

export type ClusterBus = Pick<Bus, 'publish' | 'subscribe' | 'requestMany' | 'connected' | 'closed'>;

/** A gateway says every 2 s that it lives; less by half a tick, as timers are late, never early. */
const ALIVE_EVERY_MS = 1_500;
/** Without its own sign of life for this long a gateway is cut off, and can't judge the others. */
const CUT_OFF_AFTER_MS = 3_000;
/** It is gone after this much silence: two signs of life were lost, and the third is late. */
const GONE_AFTER_MS = 6_000;
/** A gateway that is older and unknown was cut off from this one, and may have users. */
const KNOWN_AFTER_MS = 4_000;
/** Gateways remembered; further ones are not counted on. */
const GATEWAYS_LIMIT = 4_096;
/** How long a new gateway waits to hear from the others. */
const HELLO_MS = 300;
const ASK_MS = 1_000;

const decoder = new TextDecoder();

export class Cluster {
  /** Of this gateway; new each time a process starts. */
  readonly id = randomBytes(8).toString('hex');
  readonly #bus: ClusterBus;
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #startedAtMs: number;
  readonly #heardAtMs = new Map<string, number>();
  readonly #gone = new Set<(gateway: string) => void>();
  readonly #returned = new Set<(gateway: string) => void>();
  readonly #subscriptions: Subscription[] = [];
  #handler: ((question: GatewayQuestion) => GatewayAnswer) | null = null;
  #saidAtMs = 0;
  #heardMyselfAtMs: number;

  constructor(bus: ClusterBus, log: Logger, now: () => number) {
    this.#bus = bus;
    this.#log = log;
    this.#now = now;
    this.#startedAtMs = now();
    this.#heardMyselfAtMs = this.#startedAtMs;
  }

  /** Gateways that live, this one among them. */
  get size(): number {
    return this.#heardAtMs.size + 1;
  }

  /** Resolves when the other gateways are known; rooms looked at before are looked at again. */
  async start(): Promise<void> {
    this.#subscriptions.push(
      this.#bus.subscribe(SUBJECTS.gatewayAlive, (message) => this.#alive(message)),
      this.#bus.subscribe(SUBJECTS.askGateways, (message) => this.#asked(message)),
    );
    this.#saidAtMs = this.#now();
    const hello = { max: GATEWAYS_LIMIT, timeoutMs: HELLO_MS };
    const answers = await this.#bus
      .requestMany(SUBJECTS.gatewayAlive, this.#sign(), hello)
      .catch((err: unknown) => {
        this.#log.warn({ err }, 'the other gateways could not be greeted; they are heard within 2 s');
        return [];
      });
    for (const answer of answers) this.#learn(answer, true);
  }

  /** Says that it lives and forgets who doesn't; call it every second. */
  tick(): void {
    const now = this.#now();
    if (this.#bus.connected && now - this.#saidAtMs >= ALIVE_EVERY_MS) {
      this.#saidAtMs = now;
      this.#bus.publish(SUBJECTS.gatewayAlive, this.#sign());
    }
    if (now - this.#heardMyselfAtMs >= CUT_OFF_AFTER_MS) return;
    for (const [gateway, heardAtMs] of this.#heardAtMs)
      if (now - heardAtMs >= GONE_AFTER_MS) this.#forget(gateway);
  }

  /** Tells the others that it is gone; call it when the last connection is. */
  stop(): void {
    for (const subscription of this.#subscriptions.splice(0)) subscription.close();
    if (!this.#bus.closed) this.#bus.publish(SUBJECTS.gatewayAlive, this.#sign(true));
  }

  /** A gateway was silent for 6 s, or has said that it stops. */
  onGone(callback: (gateway: string) => void): void {
    this.#gone.add(callback);
  }

  /** A gateway is here that must have been here before: nobody knows who is on it. */
  onReturned(callback: (gateway: string) => void): void {
    this.#returned.add(callback);
  }

  /**
   * Whatever comes from a gateway is a sign of life; false when there are too many of them.
   *
   * One that says something else before its first sign of life was taken for gone.
   */
  heard(gateway: string, isNew = false): boolean {
    if (gateway === this.id) return true;
    const unknown = !this.#heardAtMs.has(gateway);
    if (unknown && this.#heardAtMs.size >= GATEWAYS_LIMIT) return false;
    this.#heardAtMs.set(gateway, this.#now());
    if (unknown && !isNew) for (const callback of this.#returned) callback(gateway);
    return true;
  }

  /**
   * Asks every gateway, this one too: an answer of each that lives, or what came within the time.
   *
   * Throws BusError UNAVAILABLE without a connection to the broker.
   */
  async ask(question: GatewayQuestion, timeoutMs = ASK_MS): Promise<GatewayReply[]> {
    const options = { max: this.size, timeoutMs };
    const answers = await this.#bus.requestMany(SUBJECTS.askGateways, JSON.stringify(question), options);
    return answers.flatMap((data) => {
      const reply = GatewayReply.safeParse(parse(data));
      if (reply.success) return reply.data.answer.type === question.type ? [reply.data] : [];
      this.#log.error({ err: reply.error }, 'an answer of a gateway could not be read');
      return [];
    });
  }

  /** How this gateway answers what any of them asks. */
  answer(handler: (question: GatewayQuestion) => GatewayAnswer): void {
    this.#handler = handler;
  }

  #asked(message: BusMessage): void {
    const question = GatewayQuestion.parse(parse(message.data));
    if (this.#handler === null) return;
    message.respond(JSON.stringify({ gateway: this.id, answer: this.#handler(question) }));
  }

  #alive(message: BusMessage): void {
    // Only a greeting expects an answer.
    if (this.#learn(message.data)) message.respond(this.#sign());
  }

  /** Whether it was a sign of life of another gateway. */
  #learn(data: Uint8Array, greeted = false): boolean {
    const alive = GatewayAlive.safeParse(parse(data));
    if (!alive.success) return false;
    const { gateway, ageMs, leaving } = alive.data;
    if (gateway === this.id) {
      this.#heardMyself();
      return false;
    }
    if (leaving === true) {
      this.#forget(gateway);
      return false;
    }
    return this.heard(gateway, !greeted && ageMs < KNOWN_AFTER_MS);
  }

  #heardMyself(): void {
    const now = this.#now();
    // While the broker was away nobody could be heard: the others have as long as ever from now on.
    if (now - this.#heardMyselfAtMs >= CUT_OFF_AFTER_MS)
      for (const gateway of this.#heardAtMs.keys()) this.#heardAtMs.set(gateway, now);
    this.#heardMyselfAtMs = now;
  }

  #forget(gateway: string): void {
    if (!this.#heardAtMs.delete(gateway)) return;
    this.#log.info({ gateway }, 'a gateway is gone');
    for (const callback of this.#gone) callback(gateway);
  }

  #sign(leaving = false): string {
    const sign: GatewayAlive = {
      gateway: this.id,
      ageMs: this.#now() - this.#startedAtMs,
      ...(leaving ? { leaving } : {}),
    };
    return JSON.stringify(sign);
  }
}

/** Undefined for what is no JSON: the schemas refuse it. */
function parse(data: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(data));
  } catch {
    return undefined;
  }
}
