/**
 * How far a named reader has acknowledged: the bucket `log_positions`.
 *
 * Moved by compare-and-set, so it never goes back, also not when two sockets of one name are on two
 * gateways. A position in an earlier life of LOGS is none, and is overwritten. The bucket is shared by
 * all, so a user has only so many names.
 */
import { BUCKETS, encodeToken } from '@natter/proto';
import { type Bus, isBusError, type Logger } from '@natter/runtime';
import { z } from 'zod';
import { Gate } from '../gate.ts';

const Value = z.object({ seq: z.number().int().nonnegative(), life: z.string().max(64) });

export interface LogPosition {
  seq: number;
  /** See LogStore. */
  life: string;
}

interface Write {
  subject: string;
  sub: string;
  wanted: LogPosition;
  done: Promise<void>;
}

/** Names whose positions wait to be written; a further one is refused. */
const WRITES_LIMIT = 10_000;
const WRITES_AT_ONCE = 16;
/** Of one user: 1,000 keys with as many of some 250 bytes fill the 16 MiB of the bucket. */
const NAMES_LIMIT = 64;
/** Tries against other gateways. */
const TRIES = 8;

type PositionsBus = Pick<Bus, 'append' | 'stored' | 'subjectsOf'>;

const STREAM = `KV_${BUCKETS.logPositions}`;
const decoder = new TextDecoder();

export class LogPositions {
  readonly #bus: PositionsBus;
  readonly #log: Logger;
  readonly #writes = new Map<string, Write>();
  readonly #gate = new Gate(WRITES_AT_ONCE);
  /** New names one after the other, so that none is counted before the one ahead is stored. */
  readonly #newNames = new Gate(1);

  constructor(bus: PositionsBus, log: Logger) {
    this.#bus = bus;
    this.#log = log;
  }

  /** Null for a name that nothing was acknowledged for, or not for 30 days. */
  async read(sub: string, name: string): Promise<LogPosition | null> {
    const subject = subjectOf(sub, name);
    // What was acknowledged here a moment ago.
    await this.#writes.get(subject)?.done;
    return (await this.#find(subject)).position;
  }

  /** Whether a position of this name may be kept: there is one, or its user has fewer than 64. */
  async takes(sub: string, name: string): Promise<boolean> {
    return this.#mayHave(sub, subjectOf(sub, name));
  }

  /**
   * Moves a position forward, in the background; of those that wait the furthest is written.
   *
   * False when there are too many at once. One that can't be stored is logged, and the older holds.
   */
  write(sub: string, name: string, position: LogPosition): boolean {
    const subject = subjectOf(sub, name);
    const waiting = this.#writes.get(subject);
    if (waiting !== undefined) {
      if (isBehind(waiting.wanted, position)) waiting.wanted = position;
      return true;
    }
    if (this.#writes.size >= WRITES_LIMIT) return false;
    const write: Write = { subject, sub, wanted: position, done: Promise.resolve() };
    write.done = this.#gate
      .run(() => this.#store(write))
      .catch((err: unknown) =>
        this.#log.warn({ err }, 'the position of a reader of logs could not be stored'),
      )
      .finally(() => this.#writes.delete(subject));
    this.#writes.set(subject, write);
    return true;
  }

  /** Resolves when every write that was begun has ended, well or not. */
  async settled(): Promise<void> {
    await Promise.all([...this.#writes.values()].map(({ done }) => done));
  }

  async #store(write: Write): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      const { revision, position } = await this.#find(write.subject);
      const { wanted } = write;
      if (position !== null && !isBehind(position, wanted)) return;
      try {
        if (revision > 0) await this.#append(write.subject, wanted, revision);
        else if (!(await this.#appendFirst(write, wanted))) return;
        // It was moved on while it was written.
        if (write.wanted === wanted) return;
        attempt = 0;
      } catch (error) {
        if (!isBusError(error, 'CONFLICT') || attempt === TRIES) throw error;
      }
    }
  }

  /** False when it is one name too many: of those who came at once, only so many are kept. */
  async #appendFirst({ subject, sub }: Write, wanted: LogPosition): Promise<boolean> {
    let isKept = false;
    await this.#newNames.run(async () => {
      isKept = await this.#mayHave(sub, subject);
      if (isKept) await this.#append(subject, wanted, 0);
      else this.#log.warn({ sub }, 'a position was not stored: its user has as many names as it may have');
    });
    return isKept;
  }

  async #append(subject: string, position: LogPosition, revision: number): Promise<void> {
    await this.#bus.append(subject, JSON.stringify(position), { expectLast: revision });
  }

  async #mayHave(sub: string, subject: string): Promise<boolean> {
    const subjects = await this.#bus.subjectsOf(STREAM, `${prefixOf(sub)}*`);
    return subjects.length < NAMES_LIMIT || subjects.includes(subject);
  }

  async #find(subject: string): Promise<{ revision: number; position: LogPosition | null }> {
    const stored = await this.#bus.stored.last(STREAM, subject);
    if (stored === null) return { revision: 0, position: null };
    try {
      return { revision: stored.seq, position: Value.parse(JSON.parse(decoder.decode(stored.data))) };
    } catch {
      // A deleted one, or nothing of ours: the next acknowledgement takes its place.
      return { revision: stored.seq, position: null };
    }
  }
}

function isBehind(position: LogPosition, other: LogPosition): boolean {
  return position.life !== other.life || position.seq < other.seq;
}

function subjectOf(sub: string, name: string): string {
  return prefixOf(sub) + encodeToken(name);
}

function prefixOf(sub: string): string {
  return `$KV.${BUCKETS.logPositions}.${encodeToken(sub)}.`;
}
