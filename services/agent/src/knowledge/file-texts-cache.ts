/** Searchable texts of the conversations that were asked in lately; those used longest ago go first. */
import type { FileTexts } from './file-texts.ts';

export interface CacheLimits {
  conversations: number;
  /** Characters of all texts together; one conversation may be above it by itself. */
  chars: number;
}

export class FileTextsCache {
  readonly #limits: CacheLimits;
  /** In the order of their last use. */
  readonly #texts = new Map<string, FileTexts>();
  #chars = 0;

  constructor(limits: CacheLimits) {
    this.#limits = limits;
  }

  get size(): { conversations: number; chars: number } {
    return { conversations: this.#texts.size, chars: this.#chars };
  }

  get(conversation: string): FileTexts | undefined {
    const texts = this.#texts.get(conversation);
    if (texts === undefined) return undefined;
    this.#texts.delete(conversation);
    this.#texts.set(conversation, texts);
    return texts;
  }

  set(conversation: string, texts: FileTexts): void {
    this.delete(conversation);
    this.#texts.set(conversation, texts);
    this.#chars += texts.chars;
    for (const [oldest] of this.#texts) {
      if (this.#texts.size <= 1) return;
      if (this.#texts.size <= this.#limits.conversations && this.#chars <= this.#limits.chars) return;
      this.delete(oldest);
    }
  }

  delete(conversation: string): void {
    this.#chars -= this.#texts.get(conversation)?.chars ?? 0;
    this.#texts.delete(conversation);
  }
}
