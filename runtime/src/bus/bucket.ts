/** A key-value bucket with compare-and-set. */
import type { KV } from '@nats-io/kv';
import { asBusError, BusError } from './errors.ts';

export interface Entry {
  value: Uint8Array;
  /** Pass it to `update`. */
  revision: number;
}

export class Bucket {
  readonly #kv: KV;

  constructor(kv: KV) {
    this.#kv = kv;
  }

  /** The newest value, or null. */
  async get(key: string): Promise<Entry | null> {
    const entry = await this.#kv.get(key).catch((error: unknown) => {
      throw asBusError(error);
    });
    if (entry === null || entry.operation !== 'PUT') return null;
    return { value: entry.value, revision: entry.revision };
  }

  /** Writes a key that doesn't exist; CONFLICT if it does. Returns the revision. */
  create(key: string, value: Uint8Array | string): Promise<number> {
    return this.#kv.create(key, value).catch(conflict);
  }

  /** Writes if the key still has `revision`; else CONFLICT. Returns the new revision. */
  update(key: string, value: Uint8Array | string, revision: number): Promise<number> {
    return this.#kv.update(key, value, revision).catch(conflict);
  }

  delete(key: string): Promise<void> {
    return this.#kv.delete(key).catch(conflict);
  }

  /** Calls back with each change of a key from now on, until closed. */
  async watch(key: string, changed: (value: Uint8Array | null) => void): Promise<{ close(): void }> {
    const watcher = await this.#kv.watch({ key }).catch((error: unknown) => {
      throw asBusError(error);
    });
    const follow = async () => {
      for await (const entry of watcher) changed(entry.operation === 'PUT' ? entry.value : null);
    };
    void follow();
    return { close: () => watcher.stop() };
  }
}

function conflict(error: unknown): never {
  const reason = asBusError(error);
  // The library's own words for a key that exists (kv.create) carry no code.
  if (/wrong last sequence|key exists/i.test(reason.message))
    throw new BusError('CONFLICT', reason.message, error);
  throw reason;
}
