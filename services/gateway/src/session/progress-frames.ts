/** Tells those who watch how far an upload is: once a second of each file. */
import type { LiveEvent } from '@natter/proto';

export type FileProgress = Extract<LiveEvent, { type: 'file.progress' }>;

export interface ProgressFramesDeps {
  publish(conversation: string, event: FileProgress): void;
  /** Whether so many watch a conversation that frames to all of them are kept for what matters. */
  isLarge(conversation: string): boolean;
  now: () => number;
}

/** A person sees no difference; each frame goes to everybody who watches, on all gateways. */
const EVERY_MS = 1_000;
/** Files told of within the last second; of further ones nobody is told. About 100 bytes each. */
const FILES_LIMIT = 10_000;

export class ProgressFrames {
  readonly #deps: ProgressFramesDeps;
  /** When a file was last told of; the one of longest ago is the first. */
  readonly #toldAtMs = new Map<string, number>();

  constructor(deps: ProgressFramesDeps) {
    this.#deps = deps;
  }

  /** Tells it at once, or not at all: what comes next says more. How an upload ends is always told. */
  say(conversation: string, event: FileProgress): void {
    const now = this.#deps.now();
    this.#forget(now - EVERY_MS);
    if (event.status !== 'receiving') this.#toldAtMs.delete(event.file);
    else if (this.#deps.isLarge(conversation)) return;
    else if (this.#toldAtMs.has(event.file) || this.#toldAtMs.size >= FILES_LIMIT) return;
    else this.#toldAtMs.set(event.file, now);
    this.#deps.publish(conversation, event);
  }

  #forget(beforeMs: number): void {
    for (const [file, toldAtMs] of this.#toldAtMs) {
      if (toldAtMs > beforeMs) return;
      this.#toldAtMs.delete(file);
    }
  }
}
