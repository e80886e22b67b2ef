/**
 * Up to where each member was sent each of their rooms: the bucket `positions`.
 *
 * The auth service makes an entry when somebody joins and deletes it when they go. A gateway only
 * moves one that exists, by compare-and-set: so it never goes back, also not when a user's two
 * devices are on two gateways, and it does not come back after a kick.
 */
import { BUCKETS, encodeToken, RunId, STREAMS, SUBJECTS } from '@natter/proto';
import { type Bus, isBusError, type Logger, type Stored } from '@natter/runtime';
import { z } from 'zod';
import { Batches } from './batches.ts';
import type { Position } from './cursor.ts';
import { Gate } from './gate.ts';

const Sequence = z.number().int().nonnegative();

/** As the auth service makes it, and as a gateway writes it; `seq` is the greater of `log` and `end`. */
const Value = z.union([
  z.object({
    seq: Sequence,
    log: Sequence,
    end: Sequence,
    run: z.union([RunId, z.literal('')]),
    at: Sequence,
    marks: Sequence,
  }),
  z.object({ seq: z.literal(0) }),
]);

interface Found {
  revision: number;
  /** Null until somebody was sent something. */
  position: Position | null;
  storedAtMs: number;
}

/** Its positions are one object where they are the same. */
interface Entry {
  wanted: Position;
  /** What the bucket has; null before it was read, and after a conflict. */
  found: Found | null;
  writing: Promise<void> | null;
}

/** Entries remembered; the one written longest ago is forgotten first. About 500 bytes each. */
const ENTRIES_LIMIT = 100_000;
/** Each write is synced to the broker's disk. */
const WRITES_AT_ONCE = 64;
/** Tries against other gateways. */
const TRIES = 8;
/** Entries of one user that are read: 256 rooms, and what is left of those they left. */
const READ_LIMIT = 10_000;
const READ_AT_ONCE = 1_000;
/** Users whose positions are read at once, while those are not more than the broker gives: 1,024. */
const USERS_AT_ONCE = 64;

const STREAM = `KV_${BUCKETS.positions}`;
const decoder = new TextDecoder();

export class Positions {
  readonly #bus: Pick<Bus, 'append' | 'stored'>;
  readonly #log: Logger;
  readonly #entries = new Map<string, Entry>();
  readonly #gate = new Gate(WRITES_AT_ONCE);
  /** Asked for a user's prefix. */
  readonly #reads = new Batches<string, Stored[]>({
    send: (prefixes) => this.#readUsers([...prefixes]),
    maxAsks: USERS_AT_ONCE,
    maxBytes: Number.POSITIVE_INFINITY,
    bytesOf: () => 0,
  });

  constructor(bus: Pick<Bus, 'append' | 'stored'>, log: Logger) {
    this.#bus = bus;
    this.#log = log;
  }

  /**
   * Up to where a member was sent a room; null for who is none.
   *
   * Of one who was sent nothing yet it is where the room was when they became a member. Read from
   * any replica: in a cluster it may be some milliseconds old, and something is sent twice.
   */
  async read(sub: string, key: string): Promise<Position | null> {
    const found = await this.#find(subjectOf(sub, key));
    return found === null ? null : (found.position ?? this.#positionAt(key, found.storedAtMs));
  }

  /** The same of those rooms of a user whose keys are wanted, by key. */
  async readAll(sub: string, isWanted: (key: string) => boolean): Promise<Map<string, Position>> {
    const positions = new Map<string, Position>();
    const prefix = subjectOf(sub, '');
    for (const stored of await this.#reads.ask(prefix)) {
      const key = stored.subject.slice(prefix.length);
      const found = isWanted(key) ? this.#foundIn(stored) : null;
      if (found === null) continue;
      positions.set(key, found.position ?? (await this.#positionAt(key, found.storedAtMs)));
    }
    return positions;
  }

  /**
   * Moves a member's position forward; does nothing where it is there already, or for no member.
   *
   * Throws BusError when it could not be stored; the older one holds.
   */
  async write(sub: string, key: string, position: Position): Promise<void> {
    const subject = subjectOf(sub, key);
    const entry = this.#entry(subject, position);
    // One under way may have begun before this one: what it leaves is written by the first to see it.
    while (entry.writing !== null) await entry.writing.catch(() => undefined);
    if (entry.found?.position != null && !isBehind(entry.found.position, entry.wanted)) return;
    entry.writing = this.#gate
      .run(() => this.#store(subject, entry))
      .finally(() => {
        entry.writing = null;
      });
    return entry.writing;
  }

  /** Resolves when every write that was begun has ended, well or not. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#entries.values()].map(({ writing }) => writing));
  }

  /** Remembers what is wanted, and the entry as the one used last. */
  #entry(subject: string, position: Position): Entry {
    const entry = this.#entries.get(subject) ?? { wanted: position, found: null, writing: null };
    entry.wanted = furthest(entry.wanted, position);
    this.#entries.delete(subject);
    this.#entries.set(subject, entry);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > ENTRIES_LIMIT && oldest !== undefined) this.#entries.delete(oldest);
    return entry;
  }

  async #store(subject: string, entry: Entry): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      entry.found ??= await this.#find(subject);
      if (entry.found === null) return void this.#entries.delete(subject);
      const { position, revision } = entry.found;
      if (position !== null && !isBehind(position, entry.wanted)) return;
      const next = position === null ? entry.wanted : furthest(position, entry.wanted);
      const value = JSON.stringify({ seq: Math.max(next.log, next.end), ...next });
      try {
        const stored = await this.#bus.append(subject, value, { expectLast: revision });
        entry.found = { revision: stored.seq, position: next, storedAtMs: 0 };
        return;
      } catch (error) {
        if (!isBusError(error, 'CONFLICT') || attempt === TRIES) throw error;
        // Another gateway moved it, the auth service began or ended it, or an answer was lost.
        entry.found = null;
      }
    }
  }

  /** What is stored behind each prefix: of many users in one read, of one with many rooms in pages. */
  async #readUsers(prefixes: string[]): Promise<Stored[][]> {
    const filters = [...new Set(prefixes)].map((prefix) => `${prefix}>`);
    const found = await this.#bus.stored.lastOfEach(STREAM, ...filters).catch((error: unknown) => {
      if (isBusError(error, 'REFUSED')) return null;
      throw error;
    });
    if (found === null) return Promise.all(prefixes.map((prefix) => this.#readPages(prefix)));
    const byPrefix = Map.groupBy(found, ({ subject }) => subject.slice(0, subject.lastIndexOf('.') + 1));
    return prefixes.map((prefix) => byPrefix.get(prefix) ?? []);
  }

  async #readPages(prefix: string): Promise<Stored[]> {
    const found: Stored[] = [];
    while (found.length < READ_LIMIT) {
      const next = (found.at(-1)?.seq ?? 0) + 1;
      const page = await this.#bus.stored.from(STREAM, `${prefix}>`, next, READ_AT_ONCE);
      found.push(...page);
      if (page.length < READ_AT_ONCE) break;
    }
    return found;
  }

  async #find(subject: string): Promise<Found | null> {
    const stored = await this.#bus.stored.last(STREAM, subject);
    return stored === null ? null : this.#foundIn(stored);
  }

  /** Null for a deleted entry, and for what can't be read. */
  #foundIn({ data, header, seq, subject, timeMs }: Stored): Found | null {
    if (header('KV-Operation') !== undefined) return null;
    try {
      const value = Value.parse(JSON.parse(decoder.decode(data)));
      if (!('log' in value)) return { revision: seq, position: null, storedAtMs: timeMs };
      const { log, end, run, at, marks } = value;
      return { revision: seq, position: { log, end, run, at, marks }, storedAtMs: timeMs };
    } catch (err) {
      this.#log.error({ err, subject }, 'a position could not be read');
      return null;
    }
  }

  /** Where a conversation was at a time of the broker's clock, found by halving: about 20 reads. */
  async #positionAt(key: string, timeMs: number): Promise<Position> {
    const { stored } = this.#bus;
    const filter = SUBJECTS.conversationMessages(key);
    const newest = await stored.newest(STREAMS.messages, filter);
    if (newest === null || newest.timeMs < timeMs) return positionOf(newest?.seq ?? 0);
    let before = 0;
    let after = newest.seq;
    while (after - before > 1) {
      const middle = Math.floor((before + after) / 2);
      const [found] = await stored.from(STREAMS.messages, filter, middle, 1);
      if (found === undefined || found.timeMs >= timeMs) after = middle;
      else before = found.seq;
    }
    return positionOf(before);
  }
}

function positionOf(seq: number): Position {
  return { log: seq, end: seq, run: '', at: 0, marks: 0 };
}

/** Whether `other` has anything that `position` hasn't. */
function isBehind(position: Position, other: Position): boolean {
  if (other.log > position.log || other.end > position.end) return true;
  const isSame = other.log === position.log && other.end === position.end && other.run === position.run;
  return isSame && (other.at > position.at || other.marks > position.marks);
}

/** What the user was sent on any of two devices; one of the two where that has all of it. */
function furthest(one: Position, other: Position): Position {
  if (!isBehind(one, other)) return one;
  if (!isBehind(other, one)) return other;
  const { run, at, marks } = other;
  return { log: Math.max(one.log, other.log), end: Math.max(one.end, other.end), run, at, marks };
}

/** The room's key has the alphabet of keys already. */
function subjectOf(sub: string, key: string): string {
  return `$KV.${BUCKETS.positions}.${encodeToken(sub)}.${key}`;
}
