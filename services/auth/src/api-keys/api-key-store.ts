/** API keys in the bucket `api_keys`: one key for each, under its id. */
import { ApiKeyInfo, BUCKETS } from '@natter/proto';
import { type Bucket, type Bus, BusError, isBusError, type Logger } from '@natter/runtime';
import { z } from 'zod';
import { readRecord } from '../stored-record.ts';

/** Never the key: nobody who reads the bucket can use one. */
export const StoredApiKey = z.object({
  info: ApiKeyInfo,
  /** Of the whole text of the key. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
export type StoredApiKey = z.infer<typeof StoredApiKey>;

/** What is under an id; `record` is null where it can't be read, or is only the mark of a deletion. */
export interface Listed {
  id: string;
  record: StoredApiKey | null;
  deleted: boolean;
}

const STREAM = `KV_${BUCKETS.apiKeys}`;
const ALL_KEYS = `$KV.${BUCKETS.apiKeys}.*`;
const PAGE = 1_000;
/** Eight times the keys there may be, in case deleted ones could not be taken away. */
const MAX_PAGES = 8;

export class ApiKeyStore {
  readonly #bus: Pick<Bus, 'bucket' | 'hasStream' | 'stored'>;
  readonly #log: Logger;
  #opening: Promise<Bucket> | null = null;

  constructor(bus: Pick<Bus, 'bucket' | 'hasStream' | 'stored'>, log: Logger) {
    this.#bus = bus;
    this.#log = log;
  }

  /** What is stored of a key, from the leader: a revoked one is gone at once. Null also when unreadable. */
  async get(id: string): Promise<StoredApiKey | null> {
    const entry = await (await this.#bucket()).getFromLeader(id);
    return entry === null ? null : readRecord(StoredApiKey, entry, this.#log);
  }

  async add(record: StoredApiKey): Promise<void> {
    const bucket = await this.#bucket();
    const { id } = record.info;
    try {
      await bucket.create(id, JSON.stringify(record));
    } catch (error) {
      // The acknowledgement of a first try may have been lost.
      if (!isBusError(error, 'CONFLICT') || (await this.get(id))?.sha256 !== record.sha256) throw error;
    }
  }

  /** Whether there was one; gateways are told that it is gone, and then nothing is left of it. */
  async remove(id: string): Promise<boolean> {
    const bucket = await this.#bucket();
    if ((await bucket.getFromLeader(id)) === null) return false;
    await bucket.delete(id);
    await this.forget(id);
    return true;
  }

  /** Takes away what is under an id and tells nobody. */
  async forget(id: string): Promise<void> {
    await (await this.#bucket()).purge(id);
  }

  /** Everything there is, oldest first, from any replica: for lists, never to permit something. */
  async list(): Promise<Listed[]> {
    await this.#bucket();
    const listed: Listed[] = [];
    let seq = 1;
    for (let pages = 0; pages < MAX_PAGES; pages += 1) {
      const page = await this.#bus.stored.from(STREAM, ALL_KEYS, seq, PAGE);
      for (const { subject, data, header } of page) {
        const deleted = header('KV-Operation') !== undefined;
        const record = deleted ? null : readRecord(StoredApiKey, { value: data }, this.#log);
        listed.push({ id: subject.slice(subject.lastIndexOf('.') + 1), record, deleted });
      }
      if (page.length < PAGE) break;
      seq = (page.at(-1)?.seq ?? 0) + 1;
    }
    return listed;
  }

  /** Agents make the bucket, and auth may start before the first of them: the next call looks again. */
  #bucket(): Promise<Bucket> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = null;
      throw error;
    });
    return this.#opening;
  }

  async #open(): Promise<Bucket> {
    if (!(await this.#bus.hasStream(STREAM)))
      throw new BusError('UNAVAILABLE', 'no agent has made the bucket of API keys yet');
    return this.#bus.bucket(BUCKETS.apiKeys);
  }
}
