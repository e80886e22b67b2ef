/** Hears on the bus at which character of which run another agent went on. */
import { RunBatch, SUBJECTS } from '@natter/proto';
import type { Bus } from '@natter/runtime';
import type { NatsServer } from '@natter/testkit';
import { connectAs } from '../load/service-bus.ts';

/** Runs that are remembered; a round has a few dozen. */
const MAX_RUNS = 10_000;
/** Most batches are text, and need not be parsed. */
const RESUMED = '"run.resumed"';

export class Handovers {
  readonly #bus: Bus;
  /** By conversation: characters of the answer that the agent before had said. */
  readonly #resumedAt = new Map<string, number>();

  static async listen(nats: NatsServer): Promise<Handovers> {
    return new Handovers(await connectAs('gateway', nats));
  }

  private constructor(bus: Bus) {
    this.#bus = bus;
    bus.subscribe(SUBJECTS.conversationRunsOut('*'), ({ subject, data }) => {
      const text = Buffer.from(data).toString();
      if (!text.includes(RESUMED) || this.#resumedAt.size >= MAX_RUNS) return;
      for (const event of RunBatch.parse(JSON.parse(text)).events) {
        const conversation = subject.split('.')[3] ?? '';
        if (event.type === 'run.resumed') this.#resumedAt.set(conversation, event.at);
      }
    });
  }

  /** Null while the run has not changed hands; the last time counts. */
  of(conversation: string): number | null {
    return this.#resumedAt.get(conversation) ?? null;
  }

  close(): Promise<void> {
    return this.#bus.close();
  }
}
