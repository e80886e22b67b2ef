/** Members in the bucket `members`: one key for each user of a room, so writers rarely meet. */
import { BUCKETS, encodeToken, LIMITS, Member } from '@natter/proto';
import { type Bucket, BusError, type Logger, type StreamReader } from '@natter/runtime';
import { bucketPages } from './bucket-pages.ts';
import { compareAndSet } from './compare-and-set.ts';
import { takesPlace } from './room-rules.ts';
import { readRecord } from './stored-record.ts';

/** What a list of a room's members says. */
export interface Census {
  /** Members, and people who were invited or banned. */
  places: number;
  /** Keys in all, those who left among them. */
  records: number;
  /** Members, at most 1,000; `RoomsReply` has no room for more. */
  members: Member[];
}

const MAX_LISTED = 1_000;
/** Three times the members a room may have: a room that so many have passed through is full. */
const MAX_PAGES = (3 * LIMITS.membersPerRoom) / 1_000;
/** Larger rooms are not listed again for each of a thousand joins. */
const LARGE = 200;
const REMEMBER_MS = 2_000;
/** About 300 bytes for each of 1,000 members: 20 MB. */
const MAX_REMEMBERED = 64;

export class MemberStore {
  readonly #bucket: Bucket;
  readonly #stored: StreamReader;
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #remembered = new Map<string, { census: Census; at: number }>();

  constructor(bucket: Bucket, stored: StreamReader, log: Logger, now: () => number) {
    this.#bucket = bucket;
    this.#stored = stored;
    this.#log = log;
    this.#now = now;
  }

  /** What a user is in a room, or null. */
  async get(room: string, sub: string): Promise<Member | null> {
    return (await this.#read(room, sub)).member;
  }

  /**
   * Writes what `decide` makes of what a user is in a room; null leaves it.
   *
   * `decide` is called again when somebody else wrote meanwhile. Returns what they are now.
   */
  change(room: string, sub: string, decide: (now: Member | null) => Member | null): Promise<Member | null> {
    return compareAndSet(async () => {
      const { member, revision } = await this.#read(room, sub);
      const next = decide(member);
      if (next === null) return member;
      const key = memberKey(room, sub);
      const value = JSON.stringify(next);
      await (revision === null ? this.#bucket.create(key, value) : this.#bucket.update(key, value, revision));
      this.#count(room, member, next);
      return next;
    });
  }

  /** Counts and lists; of a room with more than 200 keys it may be 2 s old. */
  async census(room: string): Promise<Census> {
    const remembered = this.#remembered.get(room);
    if (remembered !== undefined && this.#now() - remembered.at < REMEMBER_MS) return remembered.census;
    this.#remembered.delete(room);
    const census: Census = { places: 0, records: 0, members: [] };
    for await (const page of this.pages(room)) {
      census.records += page.length;
      for (const member of page) {
        if (takesPlace(member)) census.places += 1;
        if (member.state === 'member' && census.members.length < MAX_LISTED) census.members.push(member);
      }
    }
    if (census.records > LARGE) this.#remember(room, census);
    return census;
  }

  /** Everybody who is or was something in a room. */
  async *pages(room: string): AsyncGenerator<Member[]> {
    for await (const page of bucketPages(this.#stored, BUCKETS.members, room, MAX_PAGES)) {
      yield page
        .map((message) => readRecord(Member, { value: message.data }, this.#log))
        .filter((member) => member !== null);
    }
  }

  /** Keeps a remembered count true to our own writes. */
  #count(room: string, before: Member | null, after: Member): void {
    const census = this.#remembered.get(room)?.census;
    if (census === undefined) return;
    census.records += before === null ? 1 : 0;
    census.places += Number(takesPlace(after)) - Number(takesPlace(before));
    census.members = census.members.filter(({ sub }) => sub !== after.sub);
    if (after.state === 'member' && census.members.length < MAX_LISTED) census.members.push(after);
  }

  #remember(room: string, census: Census): void {
    if (this.#remembered.size >= MAX_REMEMBERED) {
      for (const oldest of this.#remembered.keys()) {
        this.#remembered.delete(oldest);
        break;
      }
    }
    this.#remembered.set(room, { census, at: this.#now() });
  }

  async #read(room: string, sub: string): Promise<{ member: Member | null; revision: number | null }> {
    const entry = await this.#bucket.getFromLeader(memberKey(room, sub));
    if (entry === null) return { member: null, revision: null };
    const member = readRecord(Member, entry, this.#log);
    // It may be a ban: as good as none it must not be.
    if (member === null) throw new BusError('REFUSED', 'the record of a member can not be read');
    return { member, revision: entry.revision };
  }
}

function memberKey(room: string, sub: string): string {
  return `${room}.${encodeToken(sub)}`;
}
