/** Takes turns from TURNS, one per free slot, and keeps the broker told that they are worked on. */
import { conversationOfTurn, STREAMS, Turn } from '@natter/proto';
import { type Bus, continueTrace, type Delivery, type Logger, type Puller } from '@natter/runtime';
import { RegistryFull } from './claims.ts';
import type { TurnRunner } from './turn-runner.ts';

export interface IntakeOptions {
  /** Conversations worked on at once in this process. */
  concurrency: number;
}

/** A third of AckWait: two of these may be lost. */
const WORKING_EVERY_MS = 2_000;
/** A turn that met a broken broker comes back after this long. */
const RETRY_DELAY_MS = 1_000;

const decoder = new TextDecoder();

export class Intake {
  readonly #bus: Bus;
  readonly #puller: Puller;
  readonly #runner: TurnRunner;
  readonly #log: Logger;
  readonly #concurrency: number;
  /** Deliveries that are not acknowledged, by sequence; the newest one of each. */
  readonly #deliveries = new Map<number, Delivery>();
  readonly #working = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  #heartbeat: NodeJS.Timeout | null = null;

  constructor(bus: Bus, puller: Puller, runner: TurnRunner, options: IntakeOptions, log: Logger) {
    this.#bus = bus;
    this.#puller = puller;
    this.#runner = runner;
    this.#concurrency = options.concurrency;
    this.#log = log;
  }

  start(): void {
    this.#puller.start(
      () => this.#concurrency - this.#working.size,
      (delivery) => this.#take(delivery),
    );
    this.#heartbeat = setInterval(() => {
      for (const delivery of this.#deliveries.values()) delivery.working();
    }, WORKING_EVERY_MS);
  }

  /** Takes nothing more and hands every run back, to be continued by another agent. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the agent is stopping'));
    await this.#puller.stop();
    await Promise.all(this.#working);
    if (this.#heartbeat !== null) clearInterval(this.#heartbeat);
  }

  #take(delivery: Delivery): void {
    const known = this.#deliveries.has(delivery.seq);
    this.#deliveries.set(delivery.seq, delivery);
    // It came back while we are at it: the broker was away. The newest delivery counts.
    if (known) return delivery.working();
    const work = this.#work(delivery).finally(() => {
      this.#working.delete(work);
      this.#puller.slotFreed();
    });
    this.#working.add(work);
  }

  async #work({ seq, subject, redelivered }: Delivery): Promise<void> {
    const conversation = conversationOfTurn(subject);
    try {
      const { signal } = this.#stopping;
      const outcome = await this.#runner.run(conversation, seq, redelivered, signal);
      if (outcome === 'left') return void this.#forget(seq);
      // Acknowledged last: given back, it brings another agent to what still waits.
      const done = outcome === 'ended' && (await this.#runner.runWaiting(conversation, signal));
      const delivery = this.#forget(seq);
      if (done) await this.#acknowledge(delivery);
      else delivery?.giveBack(0);
    } catch (err) {
      await this.#interrupted(seq, err);
    }
  }

  async #interrupted(seq: number, err: unknown): Promise<void> {
    const delivery = this.#forget(seq);
    this.#log.error({ err, seq }, 'a turn was interrupted and comes back');
    if (delivery === undefined) return;
    if (err instanceof RegistryFull && (await this.#refuse(delivery))) return this.#acknowledge(delivery);
    delivery.giveBack(RETRY_DELAY_MS);
  }

  /** The broker takes no more claims: whoever asked is told, rather than left waiting. */
  async #refuse(delivery: Delivery): Promise<boolean> {
    try {
      const stored = await this.#bus.stored.at(STREAMS.turns, delivery.seq);
      if (stored === null) return true;
      const turn = Turn.parse(JSON.parse(decoder.decode(stored.data)));
      await this.#runner.refuse(turn, continueTrace(delivery.traceparent));
      return true;
    } catch (err) {
      this.#log.error({ err, seq: delivery.seq }, 'a turn could not be refused');
      return false;
    }
  }

  #forget(seq: number): Delivery | undefined {
    const delivery = this.#deliveries.get(seq);
    this.#deliveries.delete(seq);
    return delivery;
  }

  async #acknowledge(delivery: Delivery | undefined): Promise<void> {
    try {
      await delivery?.done();
    } catch (err) {
      // It comes back, is found to have ended, and is acknowledged then.
      this.#log.warn({ err, seq: delivery?.seq }, 'a turn could not be acknowledged');
    }
  }
}
