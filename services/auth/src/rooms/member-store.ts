/** Members in the bucket `members`: one key for each user of a room, so writers rarely meet. */
import { BUCKETS, encodeToken, LIMITS, Member } from '@natter/proto';
import { type Bucket, BusError, compareAndSet, type Logger, type StreamReader } from '@natter/runtime';
import { readRecord } from '../stored-record.ts';
import { bucketCount } from './bucket-count.ts';
import { bucketPages } from './bucket-pages.ts';
import { Remembered } from './remembered.ts';
import { takesPlace } from './room-rules.ts';
import { Unchanged } from './unchanged.ts';

/** What a list of a room's members says. */
export interface Census {
  /** Members, and people who were invited or banned. */
  places: number;
  /** Keys in all. */
  records: number;
  /** Members, at most 1,000; `RoomsReply` has no room for more. */
  members: Member[];
}

/** What a user is in a room, as it was read. */
export interface MemberEntry {
  /** Null for nothing. */
  member: Member | null;
  /** Null where there is no record. */
  revision: number | null;
}

const MAX_LISTED = 1_000;
/** Three times the members a room may have, in case former members could not be taken away. */
const MAX_PAGES = (3 * LIMITS.membersPerRoom) / 1_000;
/** Larger rooms are not counted or listed again for each of a thousand joins. */
const LARGE = 200;
/** A list of 10,000 members is 10 requests of 200 KB. */
const KEEP_LIST_MS = 2_000;
/** About 300 bytes for each of 1,000 members: 20 MB. */
const MAX_LISTS = 64;
/** As long as joins of other auth services may go uncounted: some hundreds of a limit of 10,000. */
const KEEP_COUNT_MS = 500;
const MAX_COUNTS = 1_000;
/** Of a gateway's connections, at about 400 bytes each: 20 MB. */
const MAX_UNCHANGED = 50_000;

export class MemberStore {
  readonly #bucket: Bucket;
  readonly #stored: StreamReader;
  readonly #log: Logger;
  readonly #lists: Remembered<Census>;
  readonly #counts: Remembered<{ records: number }>;
  readonly #unchanged: Unchanged<Member>;

  constructor(bucket: Bucket, stored: StreamReader, log: Logger, now: () => number) {
    this.#bucket = bucket;
    this.#stored = stored;
    this.#log = log;
    const isWorthKeeping = ({ records }: { records: number }) => records > LARGE;
    this.#lists = new Remembered<Census>({ keepMs: KEEP_LIST_MS, max: MAX_LISTS, isWorthKeeping, now });
    this.#counts = new Remembered({ keepMs: KEEP_COUNT_MS, max: MAX_COUNTS, isWorthKeeping, now });
    const parse = (value: Uint8Array) => readRecord(Member, { value }, log);
    this.#unchanged = new Unchanged({ bucket, parse, max: MAX_UNCHANGED, now });
  }

  /** What a user is in a room, or null. */
  async get(room: string, sub: string): Promise<Member | null> {
    return (await this.read(room, sub)).member;
  }

  /** The same of many users, one of a room each, in their order. */
  getMany(asked: readonly { room: string; sub: string }[]): Promise<(Member | null)[]> {
    return this.#unchanged.getMany(asked.map(({ room, sub }) => memberKey(room, sub)));
  }

  /** The same with its revision, for a write. */
  async read(room: string, sub: string): Promise<MemberEntry> {
    const entry = await this.#bucket.getFromLeader(memberKey(room, sub));
    if (entry === null) return { member: null, revision: null };
    const member = readRecord(Member, entry, this.#log);
    // It may be a ban: as good as none it must not be.
    if (member === null) throw new BusError('REFUSED', 'the record of a member can not be read');
    return { member, revision: entry.revision };
  }

  /**
   * Writes what `decide` makes of what a user is in a room; null leaves it.
   *
   * `decide` is called again when somebody else wrote meanwhile, also since `seen` was read.
   * Returns what they are now.
   */
  change(
    room: string,
    sub: string,
    decide: (now: Member | null) => Member | null,
    seen?: MemberEntry,
  ): Promise<Member | null> {
    let known = seen;
    return compareAndSet(async () => {
      const { member, revision } = known ?? (await this.read(room, sub));
      known = undefined;
      const next = decide(member);
      if (next === null) return member;
      const key = memberKey(room, sub);
      const value = JSON.stringify(next);
      const written = await (revision === null
        ? this.#bucket.create(key, value)
        : this.#bucket.update(key, value, revision));
      const stays = next.state !== 'left' && next.state !== 'removed';
      // Gateways have heard it; nobody needs it after that.
      if (!stays) await this.#forget(key, written);
      this.#count(room, member, stays ? next : null, next.sub);
      return next;
    });
  }

  /** Whether nobody is a member any more; false also where that would take long to find out. */
  async isDeserted(room: string): Promise<boolean> {
    const filter = `$KV.${BUCKETS.members}.${room}.*`;
    const stored = await this.#stored.from(`KV_${BUCKETS.members}`, filter, 1, LARGE);
    if (stored.length === LARGE) return false;
    return !stored.some(({ data }) => readRecord(Member, { value: data }, this.#log)?.state === 'member');
  }

  /** Takes away who is what in a room that is gone. */
  forgetRoom(room: string): Promise<void> {
    return this.#bucket.purge(`${room}.*`);
  }

  /** Takes away what a user is in a room that is gone. */
  forgetMember(room: string, sub: string): Promise<void> {
    return this.#bucket.purge(memberKey(room, sub));
  }

  /**
   * Keys in all, counted by the broker.
   *
   * Of a room with more than 200 it may be 0.5 s old, but for what was written here.
   */
  async records(room: string): Promise<number> {
    const count = async () => ({ records: await bucketCount(this.#stored, BUCKETS.members, room) });
    return (await this.#counts.get(room, count)).records;
  }

  /** Counts and lists; of a room with more than 200 keys it may be 2 s old. */
  census(room: string): Promise<Census> {
    return this.#lists.get(room, () => this.#list(room));
  }

  /** Everybody who is something in a room. */
  async *pages(room: string): AsyncGenerator<Member[]> {
    for await (const page of bucketPages(this.#stored, BUCKETS.members, room, MAX_PAGES)) {
      yield page
        .map((message) => readRecord(Member, { value: message.data }, this.#log))
        .filter((member) => member !== null);
    }
  }

  async #list(room: string): Promise<Census> {
    const census: Census = { places: 0, records: 0, members: [] };
    for await (const page of this.pages(room)) {
      census.records += page.length;
      for (const member of page) {
        if (takesPlace(member)) census.places += 1;
        if (member.state === 'member' && census.members.length < MAX_LISTED) census.members.push(member);
      }
    }
    return census;
  }

  /** Best effort: a record that says so is as good as none. */
  async #forget(key: string, revision: number): Promise<void> {
    await this.#bucket.purge(key, revision).catch((err: unknown) => {
      this.#log.warn({ err }, 'the record of a former member could not be taken away');
    });
  }

  /** Keeps what is remembered true to our own writes. */
  #count(room: string, before: Member | null, after: Member | null, user: string): void {
    const added = Number(after !== null) - Number(before !== null);
    const counted = this.#counts.kept(room);
    if (counted !== undefined) counted.records += added;
    const census = this.#lists.kept(room);
    if (census === undefined) return;
    census.records += added;
    census.places += Number(takesPlace(after)) - Number(takesPlace(before));
    census.members = census.members.filter(({ sub }) => sub !== user);
    if (after?.state === 'member' && census.members.length < MAX_LISTED) census.members.push(after);
  }
}

function memberKey(room: string, sub: string): string {
  return `${room}.${encodeToken(sub)}`;
}
