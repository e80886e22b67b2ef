/**
 * Stores parts of uploads in CHUNKS, after a look at what is known of their upload here.
 *
 * The bytes cross the broker once. The uploads service hears of them soon after, in a settle, and judges
 * what the gateways know only in part: totals, sums, uploads that ended (docs/decisions/0021).
 */
import { randomUUID } from 'node:crypto';
import { type ErrorCode, partName, type StoredPart, SUBJECTS, type UploadsRequest } from '@natter/proto';
import { type Bus, BusError, isBusError, Slabs } from '@natter/runtime';
import { SettlingUpload } from './settling-upload.ts';
import { type PartPosition, UploadGrant } from './upload-grant.ts';
import type { UploadsAnswer } from './uploads-client.ts';

export interface PartOf {
  sub: string;
  id: string;
  position: PartPosition;
}

/** Parts on their way, of all users: while nobody stores them, each connection may hold 8 MiB here. */
const PARTS_BYTES = 256 * 1024 * 1024;
/** Uploads that are known here, each with up to 1,024 parts: some 64 MiB at most. */
const KNOWN_LIMIT = 1_024;

/** MAX_CHUNK_SIZE at most. */
const SLAB_BYTES = 1024 * 1024;
/** Kept while nobody uploads. */
const SLABS_LIMIT = 8;
/** Smaller parts are copied into memory of their own, so that at most half of a slab is empty. */
const LARGE_BYTES = SLAB_BYTES / 2;

const NONE = new Uint8Array();

export interface UploadPartsDeps {
  bus: { bulk: Pick<Bus['bulk'], 'append'> };
  ask(request: UploadsRequest): Promise<UploadsAnswer>;
  storeTimeoutMs: number;
  now: () => number;
  /** A settle that nobody waits for failed; it is tried again. */
  onFailure(error: unknown): void;
}

export class UploadParts {
  readonly #deps: UploadPartsDeps;
  /** By owner and file; the one that was not used for longest is the first. */
  readonly #known = new Map<string, SettlingUpload>();
  readonly #slabs = new Slabs(SLAB_BYTES, SLABS_LIMIT);
  #bytes = 0;

  constructor(deps: UploadPartsDeps) {
    this.#deps = deps;
  }

  /**
   * Stores one part; returns once the broker has it on disk, with what has arrived.
   *
   * Throws BusError UNAVAILABLE where it could not be stored in time, and at once where 256 MiB of parts
   * are on their way. `bytes` may be reused by the caller as soon as this has returned its promise.
   */
  async put(of: PartOf, bytes: Uint8Array): Promise<UploadsAnswer> {
    const { byteLength } = bytes;
    const inSlab = byteLength >= LARGE_BYTES && byteLength <= SLAB_BYTES;
    const held = inSlab ? SLAB_BYTES : byteLength;
    if (this.#bytes + held > PARTS_BYTES)
      throw new BusError('UNAVAILABLE', 'too many parts of uploads are on their way');
    this.#bytes += held;
    const slab = inSlab ? this.#slabs.take() : null;
    // Nothing is waited for before this.
    const copy = slab?.subarray(0, byteLength) ?? new Uint8Array(byteLength);
    copy.set(bytes);
    try {
      const answer = await this.#put(of, copy);
      // After a failure the library may still hold it.
      if (slab !== null) this.#slabs.give(slab);
      return answer;
    } finally {
      this.#bytes -= held;
    }
  }

  /** What the uploads service said of an upload: `init`, `status`. */
  know(sub: string, answer: UploadsAnswer): void {
    if (!answer.ok || answer.progress === undefined || answer.parts === undefined) return;
    const { progress, parts } = answer;
    const known = this.#known.get(keyOf(sub, progress.id));
    if (known === undefined) this.#remember(new UploadGrant(sub, progress, parts));
    else known.update({ progress, parts });
  }

  /** Does what may end an upload; parts that come meanwhile, and later ones, are judged anew. */
  async whileEnding(sub: string, id: string, end: () => Promise<UploadsAnswer>): Promise<UploadsAnswer> {
    const known = this.#known.get(keyOf(sub, id));
    if (known === undefined) return end();
    this.#forget(known);
    const unsettled = known.takeUnsettled();
    let isOver = false;
    try {
      const answer = await end();
      isOver = answer.ok;
      return answer;
    } finally {
      // With an upload that is over its parts are gone; those of one that was gone before may be there.
      if (!isOver) for (const part of unsettled) known.note(part);
    }
  }

  /** Resolves when the uploads service has heard of all parts, or could not be asked. */
  async settled(): Promise<void> {
    await Promise.all([...this.#known.values()].map((known) => known.settleAll()));
  }

  async #put({ sub, id, position }: PartOf, bytes: Uint8Array): Promise<UploadsAnswer> {
    const total = 'index' in position ? position.total : null;
    let known = this.#known.get(keyOf(sub, id));
    let isFresh = false;
    if (known === undefined || known.grant.needsTotal(position)) {
      const found = await this.#find(sub, id, total);
      if ('refused' in found) return found.refused;
      known = found.known;
      isFresh = true;
    }
    const { now } = this.#deps;
    let judged = known.grant.judge(position, bytes.length, now());
    if (!judged.ok && judged.stale && !isFresh) {
      const answer = await known.settle();
      if (!answer.ok) return answer;
      judged = known.grant.judge(position, bytes.length, now());
    }
    return judged.ok ? this.#store(known, judged.part, bytes) : refusal(judged.code);
  }

  /** Asks what has arrived of an upload, and with it whether there is one that takes parts. */
  async #find(
    sub: string,
    id: string,
    total: number | null,
  ): Promise<{ known: SettlingUpload } | { refused: UploadsAnswer }> {
    const answer = await this.#deps.ask({ op: 'settle', sub, id, total, stored: [] });
    if (!answer.ok) return { refused: answer };
    this.know(sub, answer);
    const known = this.#known.get(keyOf(sub, id));
    if (known === undefined) throw new Error('the uploads service answered no progress');
    return { known };
  }

  async #store(known: SettlingUpload, part: StoredPart, bytes: Uint8Array): Promise<UploadsAnswer> {
    const { grant } = known;
    const { bus, storeTimeoutMs } = this.#deps;
    if (known.isFull) throw new BusError('UNAVAILABLE', 'the uploads service has not heard of many parts');
    this.#touch(known);
    grant.take(part);
    try {
      // An id of this part alone: it makes a repeat by the bus harmless, and one by the client count.
      const options = { id: randomUUID(), timeoutMs: storeTimeoutMs };
      await bus.bulk.append(SUBJECTS.chunk(grant.id, partName(part)), bytes, options);
    } catch (error) {
      grant.landed(part, false);
      // It may have been stored all the same.
      known.note(part);
      // Full: others have to finish first, or to expire.
      if (isBusError(error, 'REFUSED')) throw new BusError('UNAVAILABLE', 'CHUNKS takes no more', error);
      throw error;
    }
    const differs = grant.landed(part, true);
    known.note(part);
    // The upload may have ended meanwhile, or this is another try of a part.
    if (differs || !this.#isKnown(known)) {
      const answer = await known.settle();
      if (!answer.ok) return answer;
      if (!grant.has(part)) return refusal('FILE_SIZE_MISMATCH');
    }
    return { ok: true, progress: grant.progress, bytes: NONE };
  }

  #remember(grant: UploadGrant): void {
    const { ask, now, onFailure } = this.#deps;
    const known = new SettlingUpload(grant, { ask, now, onFailure, over: (ended) => this.#forget(ended) });
    this.#known.set(keyOf(grant.sub, grant.id), known);
    const [oldest] = this.#known;
    // The uploads service hears of its parts all the same.
    if (this.#known.size > KNOWN_LIMIT && oldest !== undefined) this.#known.delete(oldest[0]);
  }

  #isKnown(known: SettlingUpload): boolean {
    return this.#known.get(keyOf(known.grant.sub, known.grant.id)) === known;
  }

  /** It is the last that goes where there are too many. */
  #touch(known: SettlingUpload): void {
    if (!this.#isKnown(known)) return;
    const key = keyOf(known.grant.sub, known.grant.id);
    this.#known.delete(key);
    this.#known.set(key, known);
  }

  #forget(known: SettlingUpload): void {
    if (this.#isKnown(known)) this.#known.delete(keyOf(known.grant.sub, known.grant.id));
  }
}

function keyOf(sub: string, id: string): string {
  return `${id} ${sub}`;
}

function refusal(code: ErrorCode): UploadsAnswer {
  return { ok: false, code, bytes: NONE };
}
