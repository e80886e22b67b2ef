/**
 * A key-value bucket with compare-and-set; every call goes on trying while the broker is away.
 *
 * After a lost acknowledgement a write answers CONFLICT although it took place: who writes reads
 * again, and finds their own value.
 */
import type { JetStreamManager } from '@nats-io/jetstream';
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
  readonly #jsm: JetStreamManager;
  readonly #name: string;

  constructor(kv: KV, jsm: JetStreamManager, name: string) {
    this.#kv = kv;
    this.#jsm = jsm;
    this.#name = name;
  }

  /** The newest value, or null. */
  async get(key: string): Promise<Entry | null> {
    const entry = await whileUnavailable(TIMEOUT_MS, () => this.#kv.get(key));
    if (entry === null || entry.operation !== 'PUT') return null;
    return { value: entry.value, revision: entry.revision };
  }

  /**
   * The newest value as the leader of the bucket's stream has it, or null.
   *
   * For what must not be stale, such as who may be where: a replica may not have heard yet of a
   * write that was acknowledged, and answers direct gets all the same (PITFALLS).
   */
  async getFromLeader(key: string): Promise<Entry | null> {
    const query = { last_by_subj: `$KV.${this.#name}.${key}` };
    const message = await whileUnavailable(TIMEOUT_MS, () =>
      this.#jsm.streams.getMessage(`KV_${this.#name}`, query),
    );
    // A deleted key has a last message too, which says so.
    if (message === null || message.header?.get('KV-Operation')) return null;
    return { value: message.data, revision: message.seq };
  }

  /** Writes a key that doesn't exist; CONFLICT if it does. Returns the revision. */
  create(key: string, value: Uint8Array | string): Promise<number> {
    return whileUnavailable(TIMEOUT_MS, () => this.#kv.create(key, value).catch(conflict));
  }

  /** Writes if the key still has `revision`; else CONFLICT. Returns the new revision. */
  update(key: string, value: Uint8Array | string, revision: number): Promise<number> {
    return whileUnavailable(TIMEOUT_MS, () => this.#kv.update(key, value, revision).catch(conflict));
  }

  /** Deletes a key; with `revision` only if the key still has it, else CONFLICT. */
  delete(key: string, revision?: number): Promise<void> {
    const options = revision === undefined ? {} : { previousSeq: revision };
    return whileUnavailable(TIMEOUT_MS, () => this.#kv.delete(key, options).catch(conflict));
  }
}

function conflict(error: unknown): never {
  const reason = asBusError(error);
  // The library's own words for a key that exists (kv.create) carry no code.
  if (/wrong last sequence|key exists/i.test(reason.message))
    throw new BusError('CONFLICT', reason.message, error);
  throw reason;
}
