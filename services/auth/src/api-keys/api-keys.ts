/** Makes, lists and revokes API keys, for a gateway that has seen that an admin asks. */
import { type ApiKeyInfo, type ApiKeysReply, type ApiKeysRequest, LIMITS } from '@natter/proto';
import type { Logger } from '@natter/runtime';
import { inBatches } from '../in-batches.ts';
import type { ApiKeyStore } from './api-key-store.ts';
import { digestOf, newApiKey } from './api-key-text.ts';

export interface ApiKeysOptions {
  store: Pick<ApiKeyStore, 'get' | 'add' | 'remove' | 'forget' | 'list'>;
  log: Logger;
  /** Default LIMITS.apiKeys. */
  limit?: number;
  /** Milliseconds since 1970. */
  now?: () => number;
}

/** Requests to the broker at once, when expired keys are taken away. */
const AT_ONCE = 32;

export class ApiKeys {
  readonly #store: ApiKeysOptions['store'];
  readonly #log: Logger;
  readonly #limit: number;
  readonly #now: () => number;

  constructor({ store, log, limit = LIMITS.apiKeys, now = Date.now }: ApiKeysOptions) {
    this.#store = store;
    this.#log = log;
    this.#limit = limit;
    this.#now = now;
  }

  /** Throws BusError UNAVAILABLE where the store is away. */
  answer(request: ApiKeysRequest): Promise<ApiKeysReply> {
    if (request.op === 'create') return this.#create(request);
    return request.op === 'list' ? this.#list() : this.#revoke(request.id);
  }

  async #create({ name, scopes, ttlS }: Extract<ApiKeysRequest, { op: 'create' }>): Promise<ApiKeysReply> {
    const { id, key } = newApiKey();
    const createdAt = this.#now();
    const expiresAt = ttlS === undefined ? null : createdAt + ttlS * 1_000;
    const info: ApiKeyInfo = { id, name, scopes: [...new Set(scopes)], createdAt, expiresAt };
    await this.#store.add({ info, sha256: digestOf(key) });
    // Counted after it was stored, so that keys that are made at once never exceed the limit.
    if ((await this.#living()).length > this.#limit) {
      await this.#store.forget(id);
      return { ok: false, reason: 'too_many' };
    }
    return { ok: true, key, keys: [info] };
  }

  async #list(): Promise<ApiKeysReply> {
    return { ok: true, keys: (await this.#living()).slice(0, this.#limit) };
  }

  /** One that has expired and one whose record can't be read are revoked as well. */
  async #revoke(id: string): Promise<ApiKeysReply> {
    const record = await this.#store.get(id);
    if (!(await this.#store.remove(id))) return { ok: false, reason: 'not_found' };
    return { ok: true, keys: record === null ? [] : [record.info] };
  }

  /** The keys that are good, oldest first; what is left of others is taken away. */
  async #living(): Promise<ApiKeyInfo[]> {
    const living: ApiKeyInfo[] = [];
    const gone: string[] = [];
    const nowMs = this.#now();
    for (const { id, record, deleted } of await this.#store.list()) {
      const expired = record !== null && record.info.expiresAt !== null && nowMs >= record.info.expiresAt;
      if (deleted || expired) gone.push(id);
      else if (record !== null) living.push(record.info);
    }
    await inBatches(gone, AT_ONCE, (id) =>
      this.#store.forget(id).catch((err: unknown) => {
        // It is good for nothing; the next list tries again.
        this.#log.warn({ err, id }, 'an expired API key could not be taken away');
      }),
    );
    return living;
  }
}
