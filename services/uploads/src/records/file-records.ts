/** Finished files: the bucket `files`. */
import { type Bucket, unlessConflict } from '@natter/runtime';
import { readValue, StoredFile } from './stored-file.ts';

export interface FoundFile extends StoredFile {
  revision: number;
}

export class FileRecords {
  readonly #bucket: Bucket;

  constructor(bucket: Bucket) {
    this.#bucket = bucket;
  }

  /** As the leader has it, or null. */
  async get(id: string): Promise<FoundFile | null> {
    const entry = await this.#bucket.getFromLeader(id);
    return entry === null ? null : { ...readValue(StoredFile, entry.value), revision: entry.revision };
  }

  /** Any replica's word: for lists. */
  async peek(id: string): Promise<StoredFile | null> {
    const entry = await this.#bucket.get(id);
    return entry === null ? null : readValue(StoredFile, entry.value);
  }

  /** Harmless to repeat: a record that is there stays as it is. */
  async create(stored: StoredFile): Promise<void> {
    await unlessConflict(this.#bucket.create(stored.file.id, JSON.stringify(stored)));
  }

  /** Throws BusError CONFLICT when somebody else wrote first. */
  update({ revision, file, placement }: FoundFile): Promise<number> {
    return this.#bucket.update(file.id, JSON.stringify({ file, placement } satisfies StoredFile), revision);
  }

  async remove(id: string): Promise<void> {
    await this.#bucket.purge(id);
  }
}
