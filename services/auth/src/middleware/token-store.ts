/**
 * The HTTP store that must know each token of fastchat-v1 (`auth_middleware`).
 *
 * Fails closed: while it is down, slow or talks nonsense, no token is good, and the reason is
 * `unavailable`; a token it does not have is `invalid`. Nothing it says reaches a log.
 */
import { hash } from 'node:crypto';
import type { Logger } from '@natter/runtime';
import { z } from 'zod';
import { boundedText } from '../bounded-text.ts';
import { sameSecret } from '../same-secret.ts';
import type { ClientTokenPair } from '../tokens/client-tokens.ts';
import { TokenRefused } from '../tokens/token-refused.ts';
import type { MiddlewareSettings } from './config-file.ts';

const TIMEOUT_MS = 2_000;
/** A token has at most 4 KiB; the rest is what else the store likes to tell. */
const MAX_BYTES = 64 * 1024;
/** How long a token that the store knew stays good without asking; counted from the question. */
const REMEMBER_MS = 5_000;
const MAX_REMEMBERED = 10_000;

const Answer = z.object({ data: z.object({ access_token: z.string().nullish() }).nullable() });

/** The store could not take new tokens. */
export class StoreFailed extends Error {
  readonly code = 'STORE_FAILED';
  constructor(cause: unknown) {
    super('the token store did not take the tokens', { cause });
    this.name = 'StoreFailed';
  }
}

export class TokenStore {
  readonly #settings: MiddlewareSettings;
  readonly #log: Logger;
  readonly #now: () => number;
  /** Until when, by digest of client and token. Only what was found is remembered. */
  readonly #known = new Map<string, number>();
  /** Questions under way; bounded by the requests that wait for them. */
  readonly #asking = new Map<string, Promise<boolean>>();

  /** `now` is in milliseconds and only ever goes forward. */
  constructor(settings: MiddlewareSettings, log: Logger, now = () => performance.now()) {
    this.#settings = settings;
    this.#log = log;
    this.#now = now;
  }

  /** Throws TokenRefused unless this is the token that the store has for the client. */
  async check(clientId: string, token: string): Promise<void> {
    const key = hash('sha256', `${clientId}\0${token}`, 'base64url');
    if (this.#now() < (this.#known.get(key) ?? 0)) return;
    let asking = this.#asking.get(key);
    if (asking === undefined) {
      asking = this.#ask(clientId, token, key).finally(() => this.#asking.delete(key));
      this.#asking.set(key, asking);
    }
    if (!(await asking)) throw new TokenRefused('invalid', 'not the token that the token store has');
  }

  /** Gives new tokens of a client to the store; throws StoreFailed. */
  async save(clientId: string, { accessToken, refreshToken }: ClientTokenPair): Promise<void> {
    const body = { client_id: clientId, access_token: accessToken, refresh_token: refreshToken };
    try {
      const response = await this.#fetch(clientId, {
        method: 'POST',
        headers: { ...this.#settings.headers, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      await response.body?.cancel();
      if (!response.ok) throw new Error(`status ${response.status}`);
    } catch (err) {
      this.#log.warn({ err }, 'the token store did not take the tokens of a client');
      throw new StoreFailed(err);
    }
  }

  async #ask(clientId: string, token: string, key: string): Promise<boolean> {
    const until = this.#now() + REMEMBER_MS;
    this.#known.delete(key);
    const stored = await this.#read(clientId).catch((error: unknown) => {
      throw new TokenRefused('unavailable', 'the token store could not be asked', error);
    });
    if (stored === null || !sameSecret(stored, token)) return false;
    if (this.#known.size >= MAX_REMEMBERED) {
      for (const oldest of this.#known.keys()) {
        this.#known.delete(oldest);
        break;
      }
    }
    this.#known.set(key, until);
    return true;
  }

  /** The token that the store has for a client, or null for none. */
  async #read(clientId: string): Promise<string | null> {
    const response = await this.#fetch(clientId, { headers: this.#settings.headers });
    if (response.status !== 200) {
      await response.body?.cancel();
      if (response.status === 404) return null;
      throw new Error(`status ${response.status} instead of 200`);
    }
    const answer = Answer.safeParse(json(await boundedText(response, MAX_BYTES)));
    if (!answer.success) throw new Error('the answer is not {"data": {"access_token": …}}');
    return answer.data.data?.access_token ?? null;
  }

  #fetch(clientId: string, init: RequestInit): Promise<Response> {
    return fetch(`${this.#settings.path}/token?client_id=${encodeURIComponent(clientId)}`, {
      ...init,
      // The operator vouched for this address, not for where it may send our headers.
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  }
}

/** Undefined for what is no JSON: the error's message would quote the answer. */
function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
