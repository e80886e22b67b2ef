/** Whether a question asked now could be stored, counted and heard. */
import { BUCKETS, STREAMS } from '@natter/proto';
import type { Bus } from '@natter/runtime';

/** What a gateway stores in and reads from; agents make them one after the other. */
const NEEDED = [
  STREAMS.turns,
  STREAMS.messages,
  STREAMS.events,
  STREAMS.userRates,
  STREAMS.sessionRates,
  `KV_${BUCKETS.positions}`,
];

export class Readiness {
  readonly #bus: Bus;
  #missing: string[] = NEEDED;

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  /** Null when it could, else why not. */
  missing(): string | null {
    if (!this.#bus.connected) return 'the broker is unreachable';
    return this.#missing.length === 0 ? null : 'no agent has made the streams yet';
  }

  /** Looks for the streams until all are there, in whatever order the services start. */
  async waitForStreams(signal: AbortSignal): Promise<void> {
    while (this.#missing.length > 0 && !signal.aborted) {
      const there = await Promise.all(this.#missing.map((stream) => this.#bus.hasStream(stream)));
      this.#missing = this.#missing.filter((_stream, index) => !there[index]);
      if (this.#missing.length > 0) await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
