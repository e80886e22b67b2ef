/** The public keys that an identity provider publishes (RFC 7517), fetched and kept for a while. */
import type { Logger } from '@natter/runtime';
import { type CryptoKey, createLocalJWKSet, errors, type LocalJWKSet } from 'jose';
import { KeysUnavailable, type TokenHeader } from './key-source.ts';
import { fetchKeySet } from './remote-key-set.ts';

export interface RemoteKeysTimes {
  /** A fetch that takes longer has failed. */
  timeoutMs: number;
  /** Keys older than this are fetched again in the background. */
  freshMs: number;
  /** Keys older than this are fetched again before one is used: after a quiet hour one may be withdrawn. */
  overdueMs: number;
  /** Keys older than this are no longer used: the provider was out of reach all that time. */
  usableMs: number;
  /** After a fetch, an unknown key id makes no other for this long: anybody can invent key ids. */
  cooldownMs: number;
  /** After a failed fetch, none is tried for this long. */
  retryMs: number;
}

const TIMES: RemoteKeysTimes = {
  timeoutMs: 2_000,
  freshMs: 300_000,
  overdueMs: 600_000,
  usableMs: 3_600_000,
  cooldownMs: 30_000,
  retryMs: 2_000,
};

export class RemoteKeys {
  readonly #url: string;
  readonly #log: Logger;
  readonly #times: RemoteKeysTimes;
  readonly #now: () => number;
  #keys: LocalJWKSet | null = null;
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #failedAt = Number.NEGATIVE_INFINITY;
  #pending: Promise<void> | null = null;

  /** `now` is in milliseconds and only ever goes forward. */
  constructor(url: string, log: Logger, times: Partial<RemoteKeysTimes> = {}, now = () => performance.now()) {
    this.#url = url;
    this.#log = log;
    this.#times = { ...TIMES, ...times };
    this.#now = now;
  }

  /** Fetches the keys without waiting for them; a failure is logged. */
  warmUp(): void {
    void this.#refresh().catch(() => undefined);
  }

  /** The key for a header, or null when the provider has none; throws KeysUnavailable. */
  async key(header: TokenHeader): Promise<CryptoKey | null> {
    const age = this.#now() - this.#fetchedAt;
    if (age > this.#times.usableMs) await this.#refresh();
    else if (age > this.#times.freshMs) await this.#renew(age);
    const key = await this.#find(header);
    if (key !== null || this.#now() - this.#fetchedAt < this.#times.cooldownMs) return key;
    await this.#refresh();
    return this.#find(header);
  }

  /** Fetches keys that still serve; waits for it where they are overdue, once, not while it fails. */
  async #renew(age: number): Promise<void> {
    const failing = this.#failedAt > this.#fetchedAt;
    const renewed = this.#refresh().catch(() => undefined);
    if (age > this.#times.overdueMs && !failing) await renewed;
  }

  async #find(header: TokenHeader): Promise<CryptoKey | null> {
    if (this.#keys === null) return null;
    try {
      return await this.#keys({ ...header });
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey) return null;
      // No key id, and several keys of its kind: they are not tried one after the other.
      if (error instanceof errors.JWKSMultipleMatchingKeys) return null;
      throw new KeysUnavailable('a key of the identity provider is not usable', error);
    }
  }

  /** Fetches once, however many wait for it. */
  #refresh(): Promise<void> {
    if (this.#pending !== null) return this.#pending;
    if (this.#now() - this.#failedAt < this.#times.retryMs) {
      return Promise.reject(new KeysUnavailable('the identity provider was out of reach a moment ago'));
    }
    this.#pending = this.#fetch().finally(() => {
      this.#pending = null;
    });
    return this.#pending;
  }

  async #fetch(): Promise<void> {
    try {
      this.#keys = createLocalJWKSet(await fetchKeySet(this.#url, this.#times.timeoutMs));
      this.#fetchedAt = this.#now();
    } catch (err) {
      this.#failedAt = this.#now();
      this.#log.warn({ err, url: this.#url }, 'keys of the identity provider could not be fetched');
      throw new KeysUnavailable('keys of the identity provider could not be fetched', err);
    }
  }
}
