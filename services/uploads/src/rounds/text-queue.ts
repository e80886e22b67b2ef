/** Files that became ready here: their texts are extracted one after the other, behind the answers. */
import type { FileRecord } from '@natter/proto';
import type { Logger } from '@natter/runtime';
import { OWN_JOB_MS } from '../finish/completion.ts';
import type { Kept } from '../kept.ts';
import { extractText, type TextParts } from './text-round.ts';

/** What is too much or too late here, any instance finds in the index. */
const MAX_WAITING = 64;

export class TextQueue {
  readonly #open: () => Promise<Kept>;
  readonly #parts: TextParts & { log: Logger; now: () => number };
  readonly #waiting: { id: string; since: number }[] = [];
  #running: Promise<void> | null = null;
  #stopped = false;

  constructor(open: () => Promise<Kept>, parts: TextParts & { now: () => number }) {
    this.#open = open;
    this.#parts = parts;
  }

  add({ id }: FileRecord): void {
    if (this.#stopped || this.#waiting.length >= MAX_WAITING) return;
    this.#waiting.push({ id, since: this.#parts.now() });
    this.#running ??= this.#run();
  }

  /** Leaves what waits to others, and waits for the one under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#waiting.length = 0;
    await this.#running;
  }

  async #run(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      // By now another instance may be at it.
      if (this.#parts.now() - next.since > OWN_JOB_MS / 2) continue;
      try {
        await extractText(await this.#open(), next.id, this.#parts);
      } catch (err) {
        this.#parts.log.warn({ err, file: next.id }, 'the text of a file waits for another try');
      }
    }
    this.#running = null;
  }
}
