/** Uploads under way: the bucket `uploads`, whose keys expire. */
import { encodeToken } from '@natter/proto';
import type { Bucket } from '@natter/runtime';
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

  async remove(owner: string, id: string): Promise<void> {
    await this.#bucket.purge(keyOf(owner, id));
  }
}

function keyOf(owner: string, id: string): string {
  return `${encodeToken(owner)}.${id}`;
}
