/**
 * Records of one conversation that were read lately, for all who missed the same.
 *
 * After a gateway's death everybody of a room comes back with much the same cursor: the first one
 * reads, the others find it here.
 */
import type { TranscriptEntry, TranscriptReader } from './transcript-reader.ts';

export interface MissedPage {
  entries: TranscriptEntry[];
  /** Where the next look begins. */
  upTo: number;
}

/** Records kept of a conversation, the newest ones, and the characters of their texts. */
const KEPT_LIMIT = 256;
const KEPT_CHARS = 64 * 1024;

/** Of the many conversations that nobody comes back to; never written to. */
const NOTHING: readonly TranscriptEntry[] = [];
const NO_READS: Map<number, Promise<MissedPage>> = new Map();

export class MissedRecords {
  readonly #reader: Pick<TranscriptReader, 'since'>;
  readonly #conversation: string;
  readonly #pageLimit: number;
  /** Between these two sequences everything is kept. */
  #from = 0;
  #upTo = 0;
  #entries = NOTHING;
  /** By where they begin; as many as those who wait for one. */
  #reading = NO_READS;

  /** `pageLimit`: records of one read. */
  constructor(reader: Pick<TranscriptReader, 'since'>, conversation: string, pageLimit: number) {
    this.#reader = reader;
    this.#conversation = conversation;
    this.#pageLimit = pageLimit;
  }

  /** Records behind a sequence as they are kept, else as the broker has them; they are shared. */
  since(seq: number): Promise<MissedPage> {
    if (seq >= this.#from && seq < this.#upTo) {
      const entries = this.#entries.filter((entry) => entry.seq > seq);
      return Promise.resolve({ entries, upTo: this.#upTo });
    }
    const reading = this.#reading.get(seq) ?? this.#readFrom(seq);
    if (this.#reading === NO_READS) this.#reading = new Map();
    this.#reading.set(seq, reading);
    return reading;
  }

  /** Call it now and then: who comes later has missed something else. */
  clear(): void {
    this.#from = 0;
    this.#upTo = 0;
    this.#entries = NOTHING;
  }

  async #readFrom(seq: number): Promise<MissedPage> {
    try {
      const page = await this.#reader.since(this.#conversation, seq, this.#pageLimit);
      this.#keep(seq, page);
      return page;
    } finally {
      this.#reading.delete(seq);
      if (this.#reading.size === 0) this.#reading = NO_READS;
    }
  }

  /** A page that joins what is kept is added to it; another one takes its place, unless it is older. */
  #keep(seq: number, { entries, upTo }: MissedPage): void {
    const joins = seq >= this.#from && seq <= this.#upTo;
    if (upTo <= (joins ? this.#upTo : this.#from)) return;
    if (joins) this.#entries = [...this.#entries.filter((entry) => entry.seq <= seq), ...entries];
    else this.#entries = entries;
    if (!joins) this.#from = seq;
    this.#upTo = upTo;
    this.#trim();
  }

  #trim(): void {
    const { length } = this.#entries;
    let first = length;
    for (let chars = 0; first > 0 && length - first < KEPT_LIMIT; first -= 1) {
      chars += charsOf(this.#entries[first - 1]);
      if (chars > KEPT_CHARS) break;
    }
    if (first === 0) return;
    this.#from = this.#entries[first - 1]?.seq ?? this.#upTo;
    this.#entries = this.#entries.slice(first);
  }
}

function charsOf(entry: TranscriptEntry | undefined): number {
  return entry !== undefined && 'text' in entry.record ? entry.record.text.length : 0;
}
