/** One run as it comes from the bus: in order, without gaps, from whatever the broker still knows. */
import type { RunBatch, RunEnd, RunEvent } from '@natter/proto';
import { runEndOf } from '@natter/proto';
import type { FeedDeps } from './feed-deps.ts';
import { RunView } from './run-view.ts';

/** Whose run it is; no closures of it, which would cost each conversation memory. */
export interface RunOwner {
  readonly conversation: string;
  /** Gets each new event, after it became part of the view. `endSeq` comes with the last one. */
  emitRun(feed: RunFeed, event: RunEvent, endSeq: number | undefined): void;
  /** Whether anybody still wants to know. */
  wantsRun(feed: RunFeed): boolean;
}

/** Held batches above this are dropped; the next one shows the gap again. */
const HELD_LIMIT = 1_000;
/** A hole that a repair did not close is looked at again after this long. */
const TORN_RETRY_MS = 1_000;

export class RunFeed {
  readonly run: string;
  readonly view = new RunView();
  heardAtMs: number;
  /** Whether all of it was read since this feed began: whatever is missed after that is noticed. */
  isWhole = false;
  readonly #owner: RunOwner;
  readonly #deps: Pick<FeedDeps, 'reader' | 'repairs' | 'log' | 'now'>;
  /** Batches that came while the broker is asked for what is missing; null when it isn't. */
  #held: RunBatch[] | null = null;
  #repairing: Promise<void> = Promise.resolve();
  #repairedAtMs = 0;

  constructor(owner: RunOwner, run: string, deps: Pick<FeedDeps, 'reader' | 'repairs' | 'log' | 'now'>) {
    this.#owner = owner;
    this.run = run;
    this.#deps = deps;
    this.heardAtMs = deps.now();
  }

  /** Takes a batch as it comes; one behind a gap waits until the gap is closed. */
  receive(batch: RunBatch): void {
    this.heardAtMs = this.#deps.now();
    if (this.#held !== null) {
      if (this.#held.length < HELD_LIMIT) this.#held.push(batch);
    } else if (this.view.isGapBefore(batch) || this.#isTornStill()) {
      void this.repair(batch);
    } else {
      this.#apply(batch);
    }
  }

  /** Asks the broker for what is missing; holds back what comes meanwhile. Never rejects. */
  repair(next?: RunBatch): Promise<void> {
    if (this.#held === null) this.#repairing = this.#repair(next);
    return this.#repairing;
  }

  async #repair(next?: RunBatch): Promise<void> {
    this.#held = next === undefined ? [] : [next];
    this.heardAtMs = this.#deps.now();
    await this.#deps.repairs.run(async () => {
      try {
        if (this.#owner.wantsRun(this)) {
          await this.#readMissing();
          this.isWhole = true;
        }
      } catch (err) {
        // Tried again after the silence, at a reconnect, or when more text doesn't join.
        this.#deps.log.warn({ err, run: this.run }, 'missed events could not be read');
      }
      this.#repairedAtMs = this.#deps.now();
      const held = this.#held ?? [];
      this.#held = null;
      for (const batch of held) this.#applySafely(batch);
    });
  }

  /** Ends the run by the record of its end. */
  finish(end: RunEnd, endSeq: number): void {
    this.view.finish(end, (event) => this.#owner.emitRun(this, event, endSeq));
  }

  /** Reads the run's events, and its end from the transcript if they lack it. */
  async #readMissing(): Promise<void> {
    const { reader } = this.#deps;
    const { conversation } = this.#owner;
    for (const batch of await reader.runBatches(conversation, this.run)) this.#applySafely(batch);
    if (this.view.end !== null) return;
    const end = await reader.runEnd(conversation, this.run);
    if (end !== null) this.finish(runEndOf(end.message), end.seq);
  }

  #applySafely(batch: RunBatch): void {
    try {
      this.#apply(batch);
    } catch (err) {
      this.#deps.log.error({ err, run: this.run }, 'a batch could not be read');
    }
  }

  #apply(batch: RunBatch): void {
    this.view.apply(batch, (event) => this.#owner.emitRun(this, event, batch.endSeq));
  }

  #isTornStill(): boolean {
    return this.view.torn && this.#deps.now() - this.#repairedAtMs >= TORN_RETRY_MS;
  }
}
