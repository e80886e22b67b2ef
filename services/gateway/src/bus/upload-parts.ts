/**
 * Stores parts of uploads in CHUNKS, after a look at what is known of their upload here.
 *
 * The bytes cross the broker once. The uploads service hears of them soon after, in a settle, and judges
 * what the gateways know only in part: totals, sums, uploads that ended (docs/decisions/0021).
 */
import { randomUUID } from 'node:crypto';
import {
  type ErrorCode,
  PARTS_TO_SETTLE,
  partName,
  type StoredPart,
  SUBJECTS,
  type UploadsRequest,
} from '@natter/proto';
import { type Bus, BusError, isBusError, Slabs } from '@natter/runtime';
import { type PartPosition, UploadGrant } from './upload-grant.ts';
import type { UploadsAnswer } from './uploads-client.ts';

export interface PartOf {
  sub: string;
  id: string;
  position: PartPosition;
}

/** Parts on their way, of all users: while nobody stores them, each connection may hold 8 MiB here. */
const PARTS_BYTES = 256 * 1024 * 1024;
/** Stored bytes of one upload that the uploads service has not heard of: by so much several gateways may exceed its size. */
const UNSETTLED_BYTES = 8 * 1024 * 1024;
/** And for so long: what came after its upload ended goes then. */
const UNSETTLED_MS = 1_000;
/** Uploads that are known here, each with up to 1,024 parts: some 64 MiB at most. */
const GRANTS_LIMIT = 1_024;

/** MAX_CHUNK_SIZE at most. */
const SLAB_BYTES = 1024 * 1024;
/** Kept while nobody uploads. */
const SLABS_LIMIT = 8;
/** Smaller parts are copied into memory of their own. */
const LARGE_BYTES = 128 * 1024;

const NONE = new Uint8Array();

interface Granted {
  grant: UploadGrant;
  /** Parts that the uploads service has not heard of. */
  unsettled: StoredPart[];
  unsettledBytes: number;
  settling: Promise<UploadsAnswer> | null;
  timer: NodeJS.Timeout | null;
}

export interface UploadPartsDeps {
  bus: { bulk: Pick<Bus['bulk'], 'append'> };
  ask(request: UploadsRequest): Promise<UploadsAnswer>;
  storeTimeoutMs: number;
  now: () => number;
  /** What is not asked by anybody failed; it is tried again. */
  onFailure(error: unknown): void;
}

export class UploadParts {
  readonly #deps: UploadPartsDeps;
  /** By owner and file; the one that was not used for longest is the first. */
  readonly #granted = new Map<string, Granted>();
  /** Those with parts that the uploads service has not heard of. */
  readonly #unsettled = new Set<Granted>();
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
    if (this.#bytes + byteLength > PARTS_BYTES)
      throw new BusError('UNAVAILABLE', 'too many parts of uploads are on their way');
    this.#bytes += byteLength;
    const slab = byteLength >= LARGE_BYTES && byteLength <= SLAB_BYTES ? this.#slabs.take() : null;
    // Nothing is waited for before this.
    const copy = slab?.subarray(0, byteLength) ?? new Uint8Array(byteLength);
    copy.set(bytes);
    try {
      const answer = await this.#put(of, copy);
      // After a failure the library may still hold it.
      if (slab !== null) this.#slabs.give(slab);
      return answer;
    } finally {
      this.#bytes -= byteLength;
    }
  }

  /** What the uploads service said of an upload: `init`, `status`. */
  know(sub: string, answer: UploadsAnswer): void {
    if (!answer.ok || answer.progress === undefined || answer.parts === undefined) return;
    const { progress, parts } = answer;
    const known = this.#granted.get(keyOf(sub, progress.id));
    if (known === undefined) this.#remember(new UploadGrant(sub, progress, parts));
    else known.grant.update({ progress, parts }, known.unsettled);
  }

  /** Does what may end an upload; parts that come meanwhile, and later ones, are judged anew. */
  async whileEnding(sub: string, id: string, end: () => Promise<UploadsAnswer>): Promise<UploadsAnswer> {
    const known = this.#granted.get(keyOf(sub, id));
    if (known === undefined) return end();
    this.#drop(known);
    const unsettled = known.unsettled.splice(0);
    let isOver = false;
    try {
      const answer = await end();
      isOver = answer.ok;
      return answer;
    } finally {
      // With an upload that is over its parts are gone; those of one that was gone before may be there.
      if (!isOver) for (const part of unsettled) this.#note(known, part);
    }
  }

  /** Resolves when the uploads service has heard of all parts, or could not be asked. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#unsettled].map((known) => this.#settle(known)));
  }

  async #put({ sub, id, position }: PartOf, bytes: Uint8Array): Promise<UploadsAnswer> {
    const total = 'index' in position ? position.total : null;
    let known = this.#granted.get(keyOf(sub, id));
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
      const answer = await this.#settle(known);
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
  ): Promise<{ known: Granted } | { refused: UploadsAnswer }> {
    const answer = await this.#deps.ask({ op: 'settle', sub, id, total, stored: [] });
    if (!answer.ok) return { refused: answer };
    this.know(sub, answer);
    const known = this.#granted.get(keyOf(sub, id));
    if (known === undefined) throw new Error('the uploads service answered no progress');
    return { known };
  }

  async #store(known: Granted, part: StoredPart, bytes: Uint8Array): Promise<UploadsAnswer> {
    const { grant } = known;
    const { bus, storeTimeoutMs } = this.#deps;
    this.#touch(known);
    grant.take(part);
    try {
      // An id of this part alone: it makes a repeat by the bus harmless, and one by the client count.
      const options = { id: randomUUID(), timeoutMs: storeTimeoutMs };
      await bus.bulk.append(SUBJECTS.chunk(grant.id, partName(part)), bytes, options);
    } catch (error) {
      grant.landed(part, false);
      // It may have been stored all the same.
      this.#note(known, part);
      // Full: others have to finish first, or to expire.
      if (isBusError(error, 'REFUSED')) throw new BusError('UNAVAILABLE', 'CHUNKS takes no more', error);
      throw error;
    }
    const differs = grant.landed(part, true);
    this.#note(known, part);
    // The upload may have ended meanwhile, or this is another try of a part.
    if (differs || !this.#isKnown(known)) {
      const answer = await this.#settle(known);
      if (!answer.ok) return answer;
      if (!grant.has(part)) return refusal('FILE_SIZE_MISMATCH');
    }
    return { ok: true, progress: grant.progress, bytes: NONE };
  }

  #note(known: Granted, part: StoredPart): void {
    known.unsettled.push(part);
    known.unsettledBytes += part.length;
    this.#unsettled.add(known);
    const isMuch = known.unsettledBytes >= UNSETTLED_BYTES || known.unsettled.length >= PARTS_TO_SETTLE / 2;
    if (isMuch) this.#settleSoon(known, 0);
    else this.#settleSoon(known, UNSETTLED_MS);
  }

  #settleSoon(known: Granted, afterMs: number): void {
    if (known.timer !== null && afterMs > 0) return;
    if (known.timer !== null) clearTimeout(known.timer);
    known.timer = setTimeout(() => {
      known.timer = null;
      if (known.unsettled.length > 0) this.#settle(known).catch(this.#deps.onFailure);
    }, afterMs).unref();
  }

  /** Tells of all that was stored so far; resolves with what has arrived then. */
  async #settle(known: Granted): Promise<UploadsAnswer> {
    // One that is under way does not know of what was stored since.
    for (; known.settling !== null; ) await known.settling.catch(() => undefined);
    known.settling = this.#settleNow(known).finally(() => {
      known.settling = null;
    });
    return known.settling;
  }

  async #settleNow(known: Granted): Promise<UploadsAnswer> {
    const { grant } = known;
    const stored = known.unsettled.splice(0, PARTS_TO_SETTLE);
    known.unsettledBytes = 0;
    if (known.timer !== null) clearTimeout(known.timer);
    known.timer = null;
    try {
      const answer = await this.#deps.ask({
        op: 'settle',
        sub: grant.sub,
        id: grant.id,
        total: null,
        stored,
      });
      if (answer.ok) grant.update(answer, known.unsettled);
      else this.#drop(known);
      if (known.unsettled.length > 0) this.#settleSoon(known, UNSETTLED_MS);
      else this.#unsettled.delete(known);
      return answer;
    } catch (error) {
      known.unsettled.unshift(...stored);
      // CHUNKS lets them go with the upload.
      if (grant.expiresAt > this.#deps.now()) this.#settleSoon(known, UNSETTLED_MS);
      else this.#unsettled.delete(known);
      throw error;
    }
  }

  #remember(grant: UploadGrant): void {
    const known = { grant, unsettled: [], unsettledBytes: 0, settling: null, timer: null };
    this.#granted.set(keyOf(grant.sub, grant.id), known);
    // Its parts are settled all the same: the timer holds it.
    if (this.#granted.size > GRANTS_LIMIT) this.#granted.delete(this.#granted.keys().next().value ?? '');
  }

  #isKnown(known: Granted): boolean {
    return this.#granted.get(keyOf(known.grant.sub, known.grant.id)) === known;
  }

  #touch(known: Granted): void {
    if (!this.#isKnown(known)) return;
    const key = keyOf(known.grant.sub, known.grant.id);
    this.#granted.delete(key);
    this.#granted.set(key, known);
  }

  #drop(known: Granted): void {
    if (this.#isKnown(known)) this.#granted.delete(keyOf(known.grant.sub, known.grant.id));
  }
}

function keyOf(sub: string, id: string): string {
  return `${id} ${sub}`;
}

function refusal(code: ErrorCode): UploadsAnswer {
  return { ok: false, code, bytes: NONE };
}
