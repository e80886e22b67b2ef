/** A store of API keys in memory. */
import type { ApiScope } from '@natter/proto';
import type { ApiKeyStore, Listed, StoredApiKey } from '../../src/api-keys/api-key-store.ts';
import { digestOf, newApiKey } from '../../src/api-keys/api-key-text.ts';

type Store = Pick<ApiKeyStore, 'get' | 'add' | 'remove' | 'forget' | 'list'>;

export interface KnownApiKeys {
  store: Store;
  /** What is in the store, by id; null for a record that can't be read. */
  records: Map<string, StoredApiKey | null>;
  /** Ids of deleted keys of which the mark is left. */
  marks: Set<string>;
  /** What every call of the store fails with, or null. */
  failure: Error | null;
  /** A key that is in the store. */
  make(scopes?: ApiScope[], expiresAt?: number | null): { id: string; key: string };
}

export function knownApiKeys(now: () => number): KnownApiKeys {
  const records: KnownApiKeys['records'] = new Map();
  const marks = new Set<string>();
  const check = () => {
    if (known.failure !== null) throw known.failure;
  };
  const store: Store = {
    get: async (id) => {
      check();
      return records.get(id) ?? null;
    },
    add: async (record) => {
      check();
      records.set(record.info.id, record);
    },
    remove: async (id) => {
      check();
      return records.delete(id);
    },
    forget: async (id) => {
      check();
      marks.delete(id);
      records.delete(id);
    },
    list: async () => {
      check();
      const listed: Listed[] = [...records].map(([id, record]) => ({ id, record, deleted: false }));
      return [...listed, ...[...marks].map((id) => ({ id, record: null, deleted: true }))];
    },
  };
  const known: KnownApiKeys = {
    store,
    records,
    marks,
    failure: null,
    make: (scopes = ['logs:read'], expiresAt = null) => {
      const { id, key } = newApiKey();
      const info = { id, name: `key ${records.size}`, scopes, createdAt: now(), expiresAt };
      records.set(id, { info, sha256: digestOf(key) });
      return { id, key };
    },
  };
  return known;
}
