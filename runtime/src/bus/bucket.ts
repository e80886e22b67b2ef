/**
 * A key-value bucket with compare-and-set; every call goes on trying while the broker is away.
 *
 * After a lost acknowledgement a write answers CONFLICT although it took place: who writes reads
 * again, and finds their own value.
 */
import type { KV } from '@nats-io/kv';
import { apiError, asBusError, BusError } from './errors.ts';
import type { RequestMux } from './request-mux.ts';
import { whileUnavailable } from './retry.ts';

export interface Entry {
  value: Uint8Array;
  /** Pass it to `update`. */
  revision: number;
}

/** Outlasts a restart of the broker. */
const TIMEOUT_MS = 10_000;
/** One try; there is another after it. */
const LEADER_MS = 3_000;
/** Status of JetStream's answer where no message of the key is stored. */
const NOT_FOUND = 404;

const decoder = new TextDecoder();

export class Bucket {
  readonly #kv: KV;
  readonly #requests: RequestMux;
  readonly #name: string;

  constructor(kv: KV, requests: RequestMux, name: string) {
    this.#kv = kv;
    this.#requests = requests;
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
    const query = JSON.stringify({ last_by_subj: `$KV.${this.#name}.${key}` });
    // Over our own mux: the library's costs as much again (docs/decisions/0012).
    const answer = await whileUnavailable(TIMEOUT_MS, () =>
      this.#requests.request(`$JS.API.STREAM.MSG.GET.KV_${this.#name}`, query, LEADER_MS),
    );
    const { error, message } = JSON.parse(decoder.decode(answer.data));
    if (error?.code === NOT_FOUND) return null;
    if (error) throw apiError(error);
    // A deleted key has a last message too, which says so.
    if (message.hdrs && Buffer.from(message.hdrs, 'base64').includes('KV-Operation:')) return null;
    return { value: Buffer.from(message.data ?? '', 'base64'), revision: message.seq };
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

  /**
   * Takes keys out of the bucket for good: unlike `delete` it leaves no marker, and tells nobody.
   *
   * `keys` may have wildcards. With `revision` a value that was written after it stays.
   */
  async purge(keys: string, revision?: number): Promise<void> {
    // The broker takes away what is before `seq`.
    const seq = revision === undefined ? undefined : revision + 1;
    const query = JSON.stringify({ filter: `$KV.${this.#name}.${keys}`, seq });
    const answer = await whileUnavailable(TIMEOUT_MS, () =>
      this.#requests.request(`$JS.API.STREAM.PURGE.KV_${this.#name}`, query, LEADER_MS),
    );
    const { error } = JSON.parse(decoder.decode(answer.data));
    if (error) throw apiError(error);
  }
}

function conflict(error: unknown): never {
  const reason = asBusError(error);
  // The library's own words for a key that exists (kv.create) carry no code.
  if (/wrong last sequence|key exists/i.test(reason.message))
    throw new BusError('CONFLICT', reason.message, error);
  throw reason;
}
