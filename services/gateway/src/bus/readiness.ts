/** Whether a question asked now could be stored. */
import { STREAMS } from '@natter/proto';
import type { Bus } from '@natter/runtime';

export class Readiness {
  readonly #bus: Bus;
  #hasTurns = false;

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  /** Null when it could, else why not. */
  missing(): string | null {
    if (!this.#bus.connected) return 'the broker is unreachable';
    return this.#hasTurns ? null : 'no agent has made the streams yet';
  }

  /** Looks for TURNS until it is there; agents make it, in whatever order the services start. */
  async waitForStreams(signal: AbortSignal): Promise<void> {
    while (!this.#hasTurns && !signal.aborted) {
      this.#hasTurns = await this.#bus.hasStream(STREAMS.turns);
      if (!this.#hasTurns) await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
