/** Messages that were said in one conversation lately, by their bus-wide ids. */
import type { MessagePosted, TranscriptMessage } from '@natter/proto';
import { Recent } from './recent.ts';

export interface Said {
  run: string;
  id: string;
  sub: string;
  name: string | null;
  asks: boolean;
  /** When it was said, in milliseconds since 1970. */
  at: number;
  deleted: boolean;
}

/** Messages whose ids are known without asking the broker. */
const LIMIT = 256;
/** A question may wait behind 63 others, and while it does any number of messages may be said. */
const ASKED_LIMIT = 256;

export class SaidMessages {
  readonly #messages = new Recent<Said>(LIMIT);
  /** Questions, whose runs may begin much later and tell of them once more. */
  readonly #asked = new Recent<true>(ASKED_LIMIT);

  /** Whether it was told of, as far back as anything may tell of it again. */
  has(run: string): boolean {
    return this.#messages.has(run) || this.#asked.has(run);
  }

  get(run: string): Said | null {
    return this.#messages.get(run) ?? null;
  }

  add({ run, id, sub, name, asks, at }: MessagePosted): void {
    this.#set({ run, id, sub, name, asks, at, deleted: false });
  }

  /** Of a transcript, what people said up to a sequence. */
  recall(messages: readonly TranscriptMessage[], upTo: number): void {
    for (const { seq, role, run, id, sub, name, asks = true, at, deletedAt } of messages)
      if (role === 'user' && seq <= upTo)
        this.#set({ run, id, sub, name, asks, at, deleted: deletedAt !== undefined });
  }

  markDeleted(run: string): void {
    const said = this.#messages.get(run);
    if (said !== undefined) said.deleted = true;
  }

  /** By the bus-wide id, or the newest of the client's id and its author. */
  find(id: string, sub: string | null): Said | null {
    const known = this.#messages.get(id);
    if (known !== undefined) return known;
    let found: Said | null = null;
    for (const said of this.#messages.values()) {
      if (said.id === id && (sub === null || said.sub === sub)) found = said;
    }
    return found;
  }

  clear(): void {
    this.#messages.clear();
    this.#asked.clear();
  }

  #set(said: Said): void {
    this.#messages.set(said.run, said);
    if (said.asks) this.#asked.set(said.run, true);
  }
}
