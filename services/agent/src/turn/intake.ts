/** Takes turns from TURNS, one per free slot, and keeps the broker told that they are worked on. */
import { Turn } from '@natter/proto';
import { continueTrace, type Delivery, type Logger, type Puller } from '@natter/runtime';
import type { TurnRunner } from './turn-runner.ts';

export interface IntakeOptions {
  /** Runs at once in this process. */
  concurrency: number;
}

interface Work {
  delivery: Delivery;
  finished: Promise<void>;
}

/** A third of AckWait: two of these may be lost. */
const WORKING_EVERY_MS = 2_000;
/** A turn that met a broken broker comes back after this long. */
const RETRY_DELAY_MS = 1_000;

const decoder = new TextDecoder();

export class Intake {
  readonly #puller: Puller;
  readonly #runner: TurnRunner;
  readonly #log: Logger;
  readonly #concurrency: number;
  /** By sequence in TURNS: the same run may be stored twice, after the dedupe window. */
  readonly #work = new Map<number, Work>();
  readonly #stopping = new AbortController();
  #heartbeat: NodeJS.Timeout | null = null;

  constructor(puller: Puller, runner: TurnRunner, options: IntakeOptions, log: Logger) {
    this.#puller = puller;
    this.#runner = runner;
    this.#concurrency = options.concurrency;
    this.#log = log;
  }

  /** Runs under way. */
  get size(): number {
    return this.#work.size;
  }

  /** Whether this process is at work on the turn with this sequence. */
  holds(seq: number): boolean {
    return this.#work.has(seq);
  }

  start(): void {
    this.#puller.start(
      () => this.#concurrency - this.#work.size,
      (delivery) => this.#take(delivery),
    );
    this.#heartbeat = setInterval(() => {
      for (const { delivery } of this.#work.values()) delivery.working();
    }, WORKING_EVERY_MS);
  }

  /** Takes nothing more and hands every run back, to be continued by another agent. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the agent is stopping'));
    await this.#puller.stop();
    await Promise.all([...this.#work.values()].map(({ finished }) => finished));
    if (this.#heartbeat !== null) clearInterval(this.#heartbeat);
  }

  #take(delivery: Delivery): void {
    const turn = parse(delivery);
    if (turn === null) {
      // Nothing can be made of it, now or later; the gateway never stores such a turn.
      this.#log.error({ seq: delivery.seq }, 'a turn could not be read');
      void this.#acknowledge(delivery);
      return;
    }
    const known = this.#work.get(delivery.seq);
    if (known !== undefined) {
      // It came back while we are at it: the broker was away. The newest delivery counts.
      known.delivery = delivery;
      delivery.working();
      return;
    }
    const work: Work = { delivery, finished: Promise.resolve() };
    this.#work.set(delivery.seq, work);
    work.finished = this.#run(turn, work);
  }

  async #run(turn: Turn, work: Work): Promise<void> {
    const { seq } = work.delivery;
    const trace = continueTrace(work.delivery.traceparent);
    try {
      const outcome = await this.#runner.run(turn, seq, trace, this.#stopping.signal);
      if (outcome === 'ended') await this.#acknowledge(work.delivery);
      else if (outcome === 'returned') work.delivery.giveBack(0);
    } catch (err) {
      this.#log.error(
        { err, run: turn.run, traceId: trace.traceId },
        'a turn was interrupted and comes back',
      );
      work.delivery.giveBack(RETRY_DELAY_MS);
    } finally {
      this.#work.delete(seq);
      this.#puller.slotFreed();
    }
  }

  async #acknowledge(delivery: Delivery): Promise<void> {
    try {
      await delivery.done();
    } catch (err) {
      // It comes back, is found to have ended, and is acknowledged then.
      this.#log.warn({ err, seq: delivery.seq }, 'a turn could not be acknowledged');
    }
  }
}

function parse(delivery: Delivery): Turn | null {
  try {
    return Turn.parse(JSON.parse(decoder.decode(delivery.data)));
  } catch {
    return null;
  }
}
