/** Asks a gateway for API keys over HTTP, as an admin. */
import { ApiScope } from '@natter/proto';
import { z } from 'zod';
import { boundedText } from '../bounded-text.ts';
import { printable } from './printable.ts';

const Key = z.object({
  id: z.string().max(64),
  name: z.string().max(64),
  scopes: z.array(ApiScope),
  created_at: z.string().max(40),
  expires_at: z.string().max(40).nullable(),
});
export type ListedKey = z.infer<typeof Key>;

/** A key goes to a file or a variable as it is. */
const Made = Key.extend({ key: z.string().regex(/^[\x21-\x7e]{1,4096}$/) });
const List = z.object({ keys: z.array(Key) });
const Refusal = z.object({ error: z.string().max(200), code: z.string().max(64) });

/** 1,000 keys with names of 64 characters, each of them escaped. */
const MAX_BYTES = 2 * 1024 * 1024;
/** Longer than a gateway goes on asking for. */
const TIMEOUT_MS = 15_000;

/** `message` is one line for people. */
export class GatewayError extends Error {
  readonly code: 'UNREACHABLE' | 'REFUSED' | 'NO_SUCH_KEY' | 'NO_GATEWAY';
  constructor(code: GatewayError['code'], message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'GatewayError';
    this.code = code;
  }
}

export class ApiKeysClient {
  readonly #url: string;
  readonly #token: string;

  /** `url`: the gateway's, without a slash at its end. */
  constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  /** All of these throw GatewayError. */
  async create(name: string, scopes: ApiScope[], ttlS?: number): Promise<z.infer<typeof Made>> {
    return this.#ask(Made, 'POST', '', { name, scopes, ttl_s: ttlS });
  }

  async list(): Promise<ListedKey[]> {
    return (await this.#ask(List, 'GET', '')).keys;
  }

  async revoke(id: string): Promise<void> {
    await this.#ask(z.object({ id: z.literal(id) }), 'DELETE', `/${id}`);
  }

  async #ask<T>(schema: z.ZodType<T>, method: string, path: string, body?: unknown): Promise<T> {
    const { status, text } = await this.#fetch(method, path, body);
    const parsed = json(text);
    if (status === 200 || status === 201) {
      const answer = schema.safeParse(parsed);
      if (answer.success) return answer.data;
    }
    const refusal = Refusal.safeParse(parsed);
    if (!refusal.success)
      throw new GatewayError('NO_GATEWAY', `${this.#url} answered ${status}, but not as a gateway does`);
    const { error, code } = refusal.data;
    if (code === 'NOT_FOUND' && method === 'DELETE')
      throw new GatewayError('NO_SUCH_KEY', `no such key: ${path.slice(1)}`);
    throw new GatewayError('REFUSED', `the gateway refused: ${printable(`${error} (${code})`)}${hint(code)}`);
  }

  async #fetch(method: string, path: string, body: unknown): Promise<{ status: number; text: string }> {
    try {
      const response = await fetch(`${this.#url}/api/v1/api-keys${path}`, {
        method,
        headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
        // What is behind a redirect must not see the token.
        redirect: 'manual',
        signal: AbortSignal.timeout(TIMEOUT_MS),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: response.status, text: await boundedText(response, MAX_BYTES) };
    } catch (error) {
      const message = `no gateway answers at ${this.#url}: is it running there? (--url names another)`;
      throw new GatewayError('UNREACHABLE', message, error);
    }
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function hint(code: string): string {
  return code === 'INVALID_TOKEN'
    ? '; is NATTER_DATA_DIR the folder of the running stack? Else set NATTER_ADMIN_TOKEN'
    : '';
}
