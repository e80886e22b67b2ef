/**
 * A key-value bucket with compare-and-set; every call goes on trying while the broker is away.
 *
 * After a lost acknowledgement a write answers CONFLICT although it took place: who writes reads
 * again, and finds their own value.
 */
import type { KV } from '@nats-io/kv';
import { asBusError, BusError } from './errors.ts';
import { whileUnavailable } from './retry.ts';

export interface Entry {
  value: Uint8Array;
  /** Pass it to `update`. */
  revision: number;
}

/** Outlasts a restart of the broker. */
const TIMEOUT_MS = 10_000;

export class Bucket {
  readonly #kv: KV;

  constructor(kv: KV) {
    this.#kv = kv;
  }

  /** The newest value, or null. */
  async get(key: string): Promise<Entry | null> {
    const entry = await whileUnavailable(TIMEOUT_MS, () => this.#kv.get(key));
    if (entry === null || entry.operation !== 'PUT') return null;
    return { value: entry.value, revision: entry.revision };
  }

  /** Writes a key that doesn't exist; CONFLICT if it does. Returns the revision. */
  create(key: string, value: Uint8Array | string): Promise<number> {
    return whileUnavailable(TIMEOUT_MS, () => this.#kv.create(key, value).catch(conflict));
  }

  /** Writes if the key still has `revision`; else CONFLICT. Returns the new revision. */
  update(key: string, value: Uint8Array | string, revision: number): Promise<number> {
    return whileUnavailable(TIMEOUT_MS, () => this.#kv.update(key, value, revision).catch(conflict));
  }

  delete(key: string): Promise<void> {
    return whileUnavailable(TIMEOUT_MS, () => this.#kv.delete(key).catch(conflict));
  }
}

function conflict(error: unknown): never {
  const reason = asBusError(error);
  // The library's own words for a key that exists (kv.create) carry no code.
  if (/wrong last sequence|key exists/i.test(reason.message))
    throw new BusError('CONFLICT', reason.message, error);
  throw reason;
}
