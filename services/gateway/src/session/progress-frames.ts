/** Tells those who watch how far an upload is: once a second of each file. */
import type { LiveEvent, UploadProgress } from '@natter/proto';

export type FileProgress = Extract<LiveEvent, { type: 'file.progress' }>;

/** `connection` is not told; empty: all of the uploader's are. */
export function progressEvent(
  { id, name, size, offset }: UploadProgress,
  who: { sub: string; name: string | null; connection: string },
  status: FileProgress['status'],
): FileProgress {
  const { sub, name: subName, connection } = who;
  return {
    type: 'file.progress',
    ...{ file: id, name, size, received: offset, status },
    ...{ sub, subName, connection },
  };
}

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
    if (this.#take(conversation, event)) this.#deps.publish(conversation, event);
  }

  /**
   * As `say`, if `may` says that the uploader may still be there; it is asked only where it would be told.
   *
   * Nothing is told where it can't say, nor behind how the upload ended meanwhile. Never rejects.
   */
  async sayIf(conversation: string, event: FileProgress, may: () => Promise<boolean>): Promise<void> {
    if (!this.#take(conversation, event)) return;
    const takenAtMs = this.#toldAtMs.get(event.file);
    const isThere = await may().catch(() => false);
    if (isThere && this.#toldAtMs.get(event.file) === takenAtMs) this.#deps.publish(conversation, event);
  }

  /** Whether it is to be told now; then it counts. */
  #take(conversation: string, { file, status }: FileProgress): boolean {
    const now = this.#deps.now();
    this.#forget(now - EVERY_MS);
    if (status !== 'receiving') {
      this.#toldAtMs.delete(file);
      return true;
    }
    if (this.#deps.isLarge(conversation)) return false;
    if (this.#toldAtMs.has(file) || this.#toldAtMs.size >= FILES_LIMIT) return false;
    this.#toldAtMs.set(file, now);
    return true;
  }

  #forget(beforeMs: number): void {
    for (const [file, toldAtMs] of this.#toldAtMs) {
      if (toldAtMs > beforeMs) return;
      this.#toldAtMs.delete(file);
    }
  }
}
