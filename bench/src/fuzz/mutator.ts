/** Makes hostile frames out of good ones, in one buffer: nothing is allocated for a frame. */
import { BROKEN_VALUES, FRAGMENTS, KEYS, LARGE_VALUES, SMALL_VALUES } from './hostile-values.ts';
import type { Span } from './json-spans.ts';
import type { Seed } from './seed.ts';
import type { Xorshift } from './xorshift.ts';

/** Above the 64 KiB that a gateway reads of most wires. */
export const MAX_MUTANT_BYTES = 96 * 1024;
/** Views of the buffer are kept up to this length, as most frames are shorter. */
const KEPT_VIEWS = 4_096;
/** One frame of so many is left as it is, so that the good path is walked as well. */
const UNCHANGED_OF = 64;
/** A large value is much slower to read: one of so many. */
const LARGE_OF = 256;
/** A value that is no JSON: one of so many. */
const BROKEN_OF = 16;
const MOST_CHANGES = 4;
const COMMA = Buffer.from(',');
const COLON = Buffer.from(':');

export class Mutator {
  isBinary = false;
  readonly #random: Xorshift;
  readonly #small: readonly Seed[];
  readonly #large: readonly Seed[];
  readonly #memory = new ArrayBuffer(MAX_MUTANT_BYTES);
  readonly #bytes = Buffer.from(this.#memory);
  readonly #views: (Uint8Array | undefined)[] = [];
  #length = 0;

  /** `random` decides everything: the same sequence makes the same frames. */
  constructor(seeds: readonly Seed[], random: Xorshift) {
    this.#random = random;
    this.#small = seeds.filter(({ bytes }) => bytes.length < KEPT_VIEWS);
    this.#large = seeds.filter(({ bytes }) => bytes.length >= KEPT_VIEWS);
    if (this.#small.length === 0) throw new RangeError('no seed is small');
  }

  /** The next frame; good until the next call. */
  next(): Uint8Array {
    const random = this.#random;
    const isLarge = this.#large.length > 0 && random.below(LARGE_OF) === 0;
    const seed = random.pick(isLarge ? this.#large : this.#small);
    this.isBinary = seed.isBinary;
    this.#length = seed.bytes.copy(this.#bytes);
    if (random.below(UNCHANGED_OF) !== 0) this.#change(seed);
    return this.#view();
  }

  #change(seed: Seed): void {
    const random = this.#random;
    let changes = 1 + random.below(MOST_CHANGES);
    // Spans are those of the seed: only the first change can go by them.
    if (seed.spans !== null && random.below(8) !== 0) {
      this.#changeStructure(seed);
      // What is no JSON any more is refused by its first bad byte: most should get further.
      changes = random.below(8) === 0 ? changes - 1 : 0;
    }
    for (let change = 0; change < changes; change += 1) this.#changeBytes();
    if (random.below(200) === 0) this.isBinary = !this.isBinary;
  }

  #changeStructure({ bytes, spans }: Seed): void {
    const random = this.#random;
    if (spans === null) return;
    const hasMembers = spans.members.length > 0;
    const kind = random.below(hasMembers ? 8 : 3);
    const value = random.pick(spans.values);
    if (kind <= 1) return this.#replace(value, this.#hostile());
    if (kind === 2) return this.#nest(value, 1 + random.below(random.below(64) === 0 ? 2_000 : 20));
    const at = random.below(spans.members.length);
    const member = spans.members[at] as Span;
    const key = spans.keys[at] as Span;
    if (kind === 3) return this.#replace(key, random.pick(KEYS));
    if (kind === 4) return this.#replace(member, random.pick(KEYS));
    // The same key again, or another frame's member, beside this one.
    if (kind === 5) {
      this.#insert(member.end, this.#hostile());
      this.#insert(member.end, COLON);
      this.#insertFrom(member.end, bytes, key);
    } else {
      const other = random.pick(this.#small);
      const members = other.spans?.members ?? [];
      if (members.length === 0) return this.#insert(member.end, this.#hostile());
      const picked = random.pick(members);
      if (kind === 7) {
        this.#remove(member.start, member.end - member.start);
        return this.#insertFrom(member.start, other.bytes, picked);
      }
      this.#insertFrom(member.end, other.bytes, picked);
    }
    this.#insert(member.end, COMMA);
  }

  #changeBytes(): void {
    const random = this.#random;
    const length = this.#length;
    const at = random.below(length + 1);
    switch (random.below(10)) {
      case 0:
        if (at < length) this.#bytes[at] = (this.#bytes[at] as number) ^ (1 << random.below(8));
        return;
      case 1:
        if (at < length) this.#bytes[at] = random.below(256);
        return;
      case 2:
        this.#length = at;
        return;
      case 3:
      case 4:
        return this.#insert(at, random.pick(FRAGMENTS));
      case 5:
        return this.#insert(at, this.#hostile());
      case 6:
        return this.#remove(at, 1 + random.below(random.below(4) === 0 ? length + 1 : 4));
      case 7:
        return this.#insertFrom(at, this.#bytes, { start: at, end: Math.min(length, at + random.below(40)) });
      default: {
        // The head of this one and the tail of another.
        const { bytes } = random.pick(this.#small);
        this.#length = at;
        return this.#insertFrom(at, bytes, { start: random.below(bytes.length + 1), end: bytes.length });
      }
    }
  }

  #hostile(): Buffer {
    const random = this.#random;
    if (random.below(BROKEN_OF) === 0) return random.pick(BROKEN_VALUES);
    return random.pick(random.below(LARGE_OF) === 0 ? LARGE_VALUES : SMALL_VALUES);
  }

  #nest({ start, end }: Span, depth: number): void {
    const room = Math.floor((MAX_MUTANT_BYTES - this.#length) / 2);
    const brackets = Math.min(depth, room);
    this.#open(end, brackets);
    this.#bytes.fill(0x5d, end, end + brackets);
    this.#open(start, brackets);
    this.#bytes.fill(0x5b, start, start + brackets);
  }

  #replace({ start, end }: Span, by: Buffer): void {
    this.#remove(start, end - start);
    this.#insert(start, by);
  }

  #insert(at: number, what: Buffer): void {
    this.#insertFrom(at, what, { start: 0, end: what.length });
  }

  /** What does not fit is left out. */
  #insertFrom(at: number, from: Buffer, { start, end }: Span): void {
    if (this.#length + end - start > MAX_MUTANT_BYTES) return;
    // Of this very buffer, what is to be copied moves behind the gap.
    const moved = from === this.#bytes ? end - start : 0;
    this.#open(at, end - start);
    from.copy(this.#bytes, at, start + moved, end + moved);
  }

  /** Makes room for so many bytes. */
  #open(at: number, count: number): void {
    this.#bytes.copyWithin(at + count, at, this.#length);
    this.#length += count;
  }

  #remove(at: number, count: number): void {
    const end = Math.min(this.#length, at + count);
    if (end <= at) return;
    this.#bytes.copyWithin(at, end, this.#length);
    this.#length -= end - at;
  }

  #view(): Uint8Array {
    const length = this.#length;
    if (length > KEPT_VIEWS) return new Uint8Array(this.#memory, 0, length);
    this.#views[length] ??= new Uint8Array(this.#memory, 0, length);
    return this.#views[length];
  }
}
