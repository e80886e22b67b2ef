/** The HTTP routes of rooms-v1, asked as curl would: any method and body, whatever the answer is. */
import type { Frame } from '@natter/testkit';

export interface Reply {
  status: number;
  /** Parsed JSON. */
  body: Frame;
}

export type Curl = (method: string, path: string, body?: unknown) => Promise<Reply>;

/** Asks routes below `/api/v1/ws` with this token; null: with none. */
export function roomsCurl(httpUrl: string, token: string | null): Curl {
  return async (method, path, body) => {
    const response = await fetch(`${httpUrl}/api/v1/ws${path}`, {
      method,
      headers: {
        ...(token !== null && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      signal: AbortSignal.timeout(30_000),
    });
    return { status: response.status, body: await response.json() };
  };
}

/** The path of a room, its id escaped. */
export function roomPath(id: string, rest = ''): string {
  return `/rooms/${encodeURIComponent(id)}${rest}`;
}
