/** The log of one conversation as it comes from the bus: in order, without gaps. */
import { LogEntry } from '@natter/proto';
import type { BusMessage } from '@natter/runtime';
import type { FeedDeps } from './feed-deps.ts';

/** Entries that came while the broker is asked for earlier ones. */
export type Held = BusMessage[];

/** Whose log it is; no closures of it, which would cost memory. */
export interface LogOwner {
  readonly conversation: string;
  /** Reads what is missing from the broker and calls `apply` for it, while `isWanted`. */
  readRecords(isWanted: () => boolean): Promise<void>;
  /** Gets each entry once, in order; null for one that can't be read. */
  applyLog(seq: number, entry: LogEntry | null): void;
}

/** Entries held back while a gap is closed; above it they are read from the broker. */
const HELD_LIMIT = 1_000;

const decoder = new TextDecoder();

export class ConversationLog {
  /** Sequence in MESSAGES of the last entry that was told. */
  seq = 0;
  /** Entries are missing that could not be read. */
  torn = false;
  readonly #owner: LogOwner;
  readonly #deps: Pick<FeedDeps, 'repairs' | 'log'>;
  /** Null while nothing is held back. */
  #held: Held | null = null;

  constructor(owner: LogOwner, deps: Pick<FeedDeps, 'repairs' | 'log'>) {
    this.#owner = owner;
    this.#deps = deps;
  }

  /** Holds back what comes from here on; whoever held before has lost their turn. */
  hold(): Held {
    this.#held = [];
    return this.#held;
  }

  isHeldBy(held: Held): boolean {
    return this.#held === held;
  }

  /** What was held goes on its way, unless another look at the broker holds entries by now. */
  release(held: Held): void {
    if (this.#held !== held) return;
    this.#held = null;
    for (const message of held) this.receive(message);
  }

  /** Forgets what is held: nobody is there to be told. */
  drop(): void {
    this.#held = null;
  }

  receive(message: BusMessage): void {
    if (this.#held !== null) {
      if (this.#held.length < HELD_LIMIT) this.#held.push(message);
      return;
    }
    // Each entry names the one before it: a later one means that something is missing.
    if (Number(message.header('Nats-Last-Sequence')) > this.seq) return void this.closeGap(message);
    this.apply(Number(message.header('Nats-Sequence')), entryOf(message.data));
  }

  apply(seq: number, entry: LogEntry | null): void {
    if (seq <= this.seq) return;
    this.seq = seq;
    this.#owner.applyLog(seq, entry);
  }

  /** Reads what is missing before `next`; what comes meanwhile waits. Never rejects. */
  async closeGap(next?: BusMessage): Promise<void> {
    if (this.#held !== null) return;
    const held = next === undefined ? [] : [next];
    this.#held = held;
    const { repairs, log } = this.#deps;
    const { conversation } = this.#owner;
    await repairs.run(async () => {
      try {
        if (this.isHeldBy(held)) await this.#owner.readRecords(() => this.isHeldBy(held));
        this.torn = false;
      } catch (err) {
        // What was held is missing as well; all of it is looked for a few seconds later.
        this.torn = true;
        held.length = 0;
        log.warn({ err, conversation }, 'missed entries could not be read');
      }
      this.release(held);
    });
  }
}

/** Null for an entry of another version; the others must go on. */
function entryOf(data: Uint8Array): LogEntry | null {
  try {
    return LogEntry.parse(JSON.parse(decoder.decode(data)));
  } catch {
    return null;
  }
}
