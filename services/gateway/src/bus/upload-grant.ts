/**
 * What a gateway knows of one upload that takes parts: whose it is, how large, and what has arrived.
 *
 * Parts that others store meanwhile are known after the next settle; what this gateway stores, at once.
 */
import {
  type ErrorCode,
  LIMITS,
  SEQUENTIAL_PARTS,
  type StoredPart,
  type UploadProgress,
  type UploadsReply,
} from '@natter/proto';

/** Where bytes belong: by the client's index, or by their offset. */
export type PartPosition = { index: number; total: number | null } | { offset: number };

/**
 * `stale`: by what is known here it would be refused; others may have changed that.
 * `code`: whatever others did, it is refused.
 */
export type Judgement = { ok: true; part: StoredPart } | { ok: false; code: ErrorCode; stale: boolean };

type Told = Pick<Extract<UploadsReply, { ok: true }>, 'progress' | 'parts'>;

export class UploadGrant {
  readonly sub: string;
  #progress: UploadProgress;
  /** Of an indexed upload: length by index. */
  readonly #arrived = new Map<number, number>();
  #bytes = 0;
  /** Of a sequential upload. */
  #count = 0;
  /** Parts on their way to the broker. */
  readonly #flying = new Set<StoredPart>();

  constructor(sub: string, progress: UploadProgress, parts: readonly StoredPart[]) {
    this.sub = sub;
    this.#progress = progress;
    this.update({ progress, parts: [...parts] }, []);
  }

  get id(): string {
    return this.#progress.id;
  }

  get expiresAt(): number {
    return this.#progress.expiresAt;
  }

  /** As the uploads service has it; `since`: what was stored after it was asked. */
  update({ progress, parts = [] }: Told, since: readonly StoredPart[]): void {
    if (progress === undefined) return;
    this.#progress = progress;
    this.#arrived.clear();
    this.#bytes = 0;
    this.#count = parts.length;
    if (progress.mode === 'indexed')
      // Of two lengths under one index the longer one counts, as for the service.
      for (const part of parts.toSorted((a, b) => a.length - b.length)) this.#add(part);
    for (const part of since) this.#count += Number(this.#add(part));
  }

  /** Whether these bytes may be stored. A total that nobody has named yet is to be settled before. */
  judge(position: PartPosition, length: number, nowMs: number): Judgement {
    const { size, mode, expiresAt } = this.#progress;
    if (length === 0) return refused('CHUNK_INVALID');
    if (expiresAt <= nowMs) return refused('UPLOAD_NOT_FOUND');
    if ('index' in position !== (mode === 'indexed')) return refused('CHUNK_INVALID');
    if (length > size) return refused('FILE_SIZE_MISMATCH');
    return 'index' in position
      ? this.#judgeIndexed(position, length)
      : this.#judgeSequential(position.offset, length);
  }

  /** Whether the client names a total that the service has to agree on first. */
  needsTotal(position: PartPosition): boolean {
    return 'index' in position && position.total !== null && this.#progress.totalChunks === null;
  }

  /** It is on its way. Call `landed` once. */
  take(part: StoredPart): void {
    this.#flying.add(part);
  }

  /** `stored`: the broker has it. True where another try of it has another length: settle at once. */
  landed(part: StoredPart, stored: boolean): boolean {
    this.#flying.delete(part);
    if (!stored) return false;
    const differs = [...this.#flying].some(({ at, length }) => at === part.at && length !== part.length);
    const before = this.#arrived.get(part.at);
    const isNew = this.#add(part);
    this.#count += Number(isNew);
    return differs || (before !== undefined && before !== part.length) || (!isNew && !this.#isIndexed);
  }

  /** Whether the service has seen it too. */
  has({ at, length }: StoredPart): boolean {
    return !this.#isIndexed || this.#arrived.get(at) === length;
  }

  get progress(): UploadProgress {
    if (!this.#isIndexed) return this.#progress;
    const received = [...this.#arrived.keys()].sort((a, b) => a - b);
    return { ...this.#progress, received, offset: this.#bytes };
  }

  get #isIndexed(): boolean {
    return this.#progress.mode === 'indexed';
  }

  #judgeIndexed({ index, total }: { index: number; total: number | null }, length: number): Judgement {
    const { size, totalChunks } = this.#progress;
    if ((total ?? index + 1) > LIMITS.chunksPerUpload) return refused('CHUNK_INVALID');
    if (total !== null && totalChunks !== null && total !== totalChunks) return refused('CHUNK_INVALID');
    if (index >= (totalChunks ?? total ?? LIMITS.chunksPerUpload)) return refused('CHUNK_INVALID');
    const lengths = new Map([...this.#flying].map((part) => [part.at, part.length]));
    lengths.set(index, length);
    let bytes = this.#bytes;
    for (const [at, added] of lengths) bytes += added - (this.#arrived.get(at) ?? 0);
    return bytes > size ? refused('FILE_SIZE_MISMATCH', true) : taken(index, length);
  }

  #judgeSequential(offset: number, length: number): Judgement {
    const { size, offset: end } = this.#progress;
    if (offset !== end) return refused('UPLOAD_OFFSET_CONFLICT', true);
    if (offset + length > size) return refused('FILE_SIZE_MISMATCH');
    return this.#count >= SEQUENTIAL_PARTS ? refused('CHUNK_INVALID', true) : taken(offset, length);
  }

  /** Whether it made a difference. */
  #add({ at, length }: StoredPart): boolean {
    if (this.#isIndexed) {
      const before = this.#arrived.get(at);
      this.#arrived.set(at, length);
      this.#bytes += length - (before ?? 0);
      return before !== length;
    }
    const { offset } = this.#progress;
    const end = at + length;
    if (at > offset || end <= offset) return false;
    this.#progress = { ...this.#progress, offset: end };
    return at === offset;
  }
}

function refused(code: ErrorCode, stale = false): Judgement {
  return { ok: false, code, stale };
}

function taken(at: number, length: number): Judgement {
  return { ok: true, part: { at, length } };
}
