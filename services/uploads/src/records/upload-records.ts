/** Uploads under way: the bucket `uploads`, whose keys expire. */
import { type ErrorCode, encodeToken, type UploadRecord } from '@natter/proto';
import { type Bucket, compareAndSet } from '@natter/runtime';
import { readValue, StoredUpload } from './stored-file.ts';

export interface FoundUpload extends StoredUpload {
  revision: number;
}

export class UploadRecords {
  readonly #bucket: Bucket;

  constructor(bucket: Bucket) {
    this.#bucket = bucket;
  }

  /** As the leader has it, or null. The owner is part of the key: nobody finds another's upload. */
  async get(owner: string, id: string): Promise<FoundUpload | null> {
    const entry = await this.#bucket.getFromLeader(keyOf(owner, id));
    if (entry === null) return null;
    return { ...readValue(StoredUpload, entry.value), revision: entry.revision };
  }

  async create(stored: StoredUpload): Promise<void> {
    const { owner, id } = stored.upload;
    await this.#bucket.create(keyOf(owner, id), JSON.stringify(stored));
  }

  /** Throws BusError CONFLICT when somebody else wrote first. */
  async update({ revision, upload, decided }: FoundUpload): Promise<FoundUpload> {
    const value = JSON.stringify({ upload, decided } satisfies StoredUpload);
    const next = await this.#bucket.update(keyOf(upload.owner, upload.id), value, revision);
    return { upload, decided, revision: next };
  }

  /** Whatever it says now, it says then that it ended so; a refusal that is there stays. */
  async end(upload: Pick<UploadRecord, 'id' | 'owner' | 'createdAt'>, code: ErrorCode): Promise<void> {
    await compareAndSet(async () => {
      const found = await this.get(upload.owner, upload.id);
      if (found === null) await this.create(endedUpload(upload, code));
      else if (found.upload.refused === null)
        await this.update({ ...endedUpload(upload, code), revision: found.revision });
    });
  }

  /** With `revision`, what was written after it stays. */
  async remove(owner: string, id: string, revision?: number): Promise<void> {
    await this.#bucket.purge(keyOf(owner, id), revision);
  }
}

/** What is left of an upload that ended without a file: some 300 bytes, however long its names were. */
export function endedUpload(
  { id, owner, createdAt }: Pick<UploadRecord, 'id' | 'owner' | 'createdAt'>,
  refused: ErrorCode,
): StoredUpload {
  const upload: UploadRecord = {
    ...{ id, owner, createdAt, refused },
    ...{ ownerName: null, conversation: null, declaredType: null, totalChunks: null },
    ...{ name: '-', size: 0, mode: 'indexed' },
    // The bucket lets it go; nothing goes by this once it is refused.
    expiresAt: createdAt,
  };
  return { upload, decided: null };
}

function keyOf(owner: string, id: string): string {
  return `${encodeToken(owner)}.${id}`;
}
