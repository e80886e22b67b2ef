/**
 * Joins a reply to text that was published before it.
 *
 * An agent died in mid-answer; the model is asked to continue after what was published. Some
 * models do, others begin again. The seam holds the reply back while it repeats the published text
 * from its start. Once it has repeated all of it, only the rest comes out. Once it differs, it was
 * no repeat, and all of it comes out.
 */
export class Seam {
  readonly #published: string;
  /** How much of `#published` the reply has repeated so far; null once that is decided. */
  #matched: number | null;

  constructor(published: string) {
    this.#published = published;
    this.#matched = published === '' ? null : 0;
  }

  /** Whether text passes through as it is. */
  get open(): boolean {
    return this.#matched === null;
  }

  /** Takes the next piece of the reply; returns what may go out now. */
  push(text: string): string {
    if (this.#matched === null) return text;
    const rest = this.#published.length - this.#matched;
    const compared = Math.min(rest, text.length);
    if (!this.#published.startsWith(text.slice(0, compared), this.#matched)) return this.end() + text;
    this.#matched += compared;
    if (this.#matched < this.#published.length) return '';
    this.#matched = null;
    return text.slice(compared);
  }

  /** The reply is over: what is still held back was no repeat of the whole. */
  end(): string {
    const held = this.#matched === null ? '' : this.#published.slice(0, this.#matched);
    this.#matched = null;
    return held;
  }
}
