/** Which lines of a filter have come, by subject: tells whether one before a line was lost. */

/** Subjects remembered; anybody with a key may invent more. About 150 bytes each, and their texts. */
const SUBJECTS_LIMIT = 10_000;
/** Characters of them: straight over NATS one may have 4,000. */
const CHARS_LIMIT = 1024 * 1024;

export class SeenLines {
  readonly #last = new Map<string, number>();
  #chars = 0;
  /** What is missing up to here, nobody misses; null: nobody reads yet. */
  #complete: number | null = null;
  #highest = 0;
  /** What was forgotten with the subjects: everything up to here counts as seen. */
  #forgotten = 0;

  /** Whether the line has come before. */
  has(subject: string, seq: number): boolean {
    return seq <= Math.max(this.#last.get(subject) ?? 0, this.#forgotten);
  }

  add(subject: string, seq: number): void {
    this.cameTo(subject, seq);
    if (seq > this.#highest) this.#highest = seq;
    if (this.#last.size <= SUBJECTS_LIMIT && this.#chars <= CHARS_LIMIT) return;
    // Subjects come in order of sequence but for a failure between brokers: one that was lost just
    // now in one of them is not noticed.
    this.#clear();
    this.#forgotten = this.#highest;
    if (this.#complete !== null) this.#complete = this.#highest;
  }

  /** Nothing is missing in this subject up to here. */
  cameTo(subject: string, seq: number): void {
    const last = this.#last.get(subject);
    if (last === undefined) this.#chars += subject.length;
    this.#last.set(subject, Math.max(seq, last ?? 0));
  }

  /**
   * From where on lines are missing, given the sequence before this one in its subject; null: none is.
   *
   * `previous` is 0 where LOGS holds none before it.
   */
  gapBefore(subject: string, previous: number): number | null {
    if (this.#complete === null) return null;
    const known = Math.max(this.#complete, this.#last.get(subject) ?? 0);
    return previous > known ? known : null;
  }

  /** Somebody reads who needs what comes behind `seq`. */
  beginAt(seq: number): void {
    this.#complete = Math.min(this.#complete ?? seq, seq);
  }

  /** LOGS was made anew: its sequences begin again. */
  forget(): void {
    this.#clear();
    this.#complete = null;
    this.#highest = 0;
    this.#forgotten = 0;
  }

  #clear(): void {
    this.#last.clear();
    this.#chars = 0;
  }
}
