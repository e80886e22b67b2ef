/** Judges API keys: those in the store, and the one of LOGS_API_KEY. */
import { timingSafeEqual } from 'node:crypto';
import { API_KEY_PREFIX, type ApiKeyInfo, ApiScope, apiKeySub, type Principal } from '@natter/proto';
import { sameSecret } from '../same-secret.ts';
import { TokenRefused } from '../tokens/token-refused.ts';
import { WaitingLine } from '../waiting-line.ts';
import type { ApiKeyStore } from './api-key-store.ts';
import { digestOf, idOfApiKey } from './api-key-text.ts';

export interface ApiKeyVerifierOptions {
  store: Pick<ApiKeyStore, 'get'>;
  /** LOGS_API_KEY, or null. */
  environmentKey: string | null;
  /** Milliseconds since 1970. */
  now?: () => number;
}

/** Reads of the store: a store that hangs must not take the places of people who sign in. */
const AT_ONCE = 64;
const MAX_WAITING = 512;
/** Gateways give up after 3 s by default (NATTER_AUTH_TIMEOUT_MS). */
const MAX_WAIT_MS = 2_500;

/** The end of the year 9999, in seconds: later than anybody compares with, and still a date. */
const NEVER_S = 253_402_300_799;

/** LOGS_API_KEY as a key: it may read and write logs, and does not end. */
const ENVIRONMENT: Pick<ApiKeyInfo, 'id' | 'name' | 'scopes' | 'expiresAt'> = {
  id: 'environment',
  name: 'LOGS_API_KEY',
  scopes: ['logs:read', 'logs:write'],
  expiresAt: null,
};

export class ApiKeyVerifier {
  readonly #store: Pick<ApiKeyStore, 'get'>;
  readonly #environmentKey: string | null;
  readonly #now: () => number;
  readonly #line: WaitingLine;

  constructor({ store, environmentKey, now = Date.now }: ApiKeyVerifierOptions) {
    this.#store = store;
    this.#environmentKey = environmentKey;
    this.#now = now;
    this.#line = new WaitingLine({
      atOnce: AT_ONCE,
      maxWaiting: MAX_WAITING,
      maxWaitingBytes: Number.POSITIVE_INFINITY,
      maxWaitMs: MAX_WAIT_MS,
      now,
    });
  }

  /** Whether a text is to be judged as a key, however bad. */
  areLike(text: string): boolean {
    return text.startsWith(API_KEY_PREFIX) || this.#isEnvironmentKey(text);
  }

  /** Whom a key stands for; throws TokenRefused, or BusError UNAVAILABLE where nobody can tell. */
  async principal(key: string): Promise<Principal> {
    if (this.#isEnvironmentKey(key)) return principalOf(ENVIRONMENT);
    const id = idOfApiKey(key);
    if (id === null) throw new TokenRefused('invalid', 'not the shape of an API key');
    const found = await this.#line.run(key.length, async () => ({ record: await this.#store.get(id) }));
    if (found === null) throw new TokenRefused('unavailable', 'too many API keys at once');
    const { record } = found;
    if (record === null) throw new TokenRefused('invalid', 'no such API key');
    // Two texts of 64 characters, so that they can be compared.
    if (!timingSafeEqual(Buffer.from(record.sha256), Buffer.from(digestOf(key))))
      throw new TokenRefused('invalid', 'not the secret of the API key');
    // Only whoever has the key is told that it was good once.
    const { info } = record;
    if (info.expiresAt !== null && this.#now() >= info.expiresAt)
      throw new TokenRefused('expired', 'the API key has expired');
    return principalOf(info);
  }

  #isEnvironmentKey(text: string): boolean {
    return this.#environmentKey !== null && sameSecret(text, this.#environmentKey);
  }
}

/** A key with the scope admin is an admin, and may do what every other scope allows. */
function principalOf({ id, name, scopes, expiresAt }: typeof ENVIRONMENT): Principal {
  const isAdmin = scopes.includes('admin');
  return {
    sub: apiKeySub(id),
    email: null,
    name,
    roles: isAdmin ? ['admin'] : [],
    scopes: isAdmin ? ApiScope.options : scopes,
    expiresAt: expiresAt === null ? NEVER_S : Math.floor(expiresAt / 1_000),
  };
}
