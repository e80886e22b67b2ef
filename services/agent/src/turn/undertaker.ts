/** Ends turns that were delivered too often: their agents died of them, or of something else. */
import { STREAMS, Turn } from '@natter/proto';
import { type Bus, continueTrace, type Delivery, type Logger, type Puller } from '@natter/runtime';
import { z } from 'zod';
import type { TurnRunner } from './turn-runner.ts';

/** nats-server's advisory io.nats.jetstream.advisory.v1.max_deliver. */
const MaxDeliver = z.object({ stream_seq: z.number().int().positive(), deliveries: z.number().int() });

const RETRY_DELAY_MS = 5_000;

const decoder = new TextDecoder();

export class Undertaker {
  readonly #bus: Bus;
  readonly #puller: Puller;
  readonly #runner: TurnRunner;
  readonly #log: Logger;

  constructor(bus: Bus, puller: Puller, runner: TurnRunner, log: Logger) {
    this.#bus = bus;
    this.#puller = puller;
    this.#runner = runner;
    this.#log = log;
  }

  start(): void {
    this.#puller.start(
      () => 1,
      (delivery) => void this.#take(delivery),
    );
  }

  stop(): Promise<void> {
    return this.#puller.stop();
  }

  async #take(delivery: Delivery): Promise<void> {
    try {
      // While an agent is at work on it, only that agent's death would leave it unended.
      if (await this.#bury(delivery)) await delivery.done();
      else delivery.giveBack(RETRY_DELAY_MS);
    } catch (err) {
      this.#log.error({ err, seq: delivery.seq }, 'a dead turn could not be ended');
      delivery.giveBack(RETRY_DELAY_MS);
    }
  }

  async #bury(delivery: Delivery): Promise<boolean> {
    const { stream_seq: seq, deliveries } = MaxDeliver.parse(JSON.parse(decoder.decode(delivery.data)));
    const stored = await this.#bus.stored.at(STREAMS.turns, seq);
    if (stored === null) return true;
    const turn = Turn.parse(JSON.parse(decoder.decode(stored.data)));
    const trace = continueTrace(undefined);
    this.#log.error({ run: turn.run, deliveries, traceId: trace.traceId }, 'a turn is dead');
    return this.#runner.bury(turn, seq, trace);
  }
}
