/** Readers of logs on both wires, and the routes around them, for tests on a whole stack. */
import { connect, type Frame, type Probe, type ServiceProcess, type Stack } from '@natter/testkit';
import { expect, vi } from 'vitest';
import { readMetric } from './metrics.ts';

/** For conditions that a busy machine takes long to meet. */
export const LOGS_WAIT = { timeout: 30_000, interval: 20 };

export interface LogVisit {
  /** An API key or access token; empty: none. */
  key: string;
  /** With its `?`. */
  query?: string;
  /** Index of the gateway. */
  gateway?: number;
}

export interface EventStream {
  response: Response;
  /** The `data` of each event. */
  readonly frames: Frame[];
  /** The stream as it came. */
  text(): string;
  ended(): boolean;
  /** Hangs up. */
  close(): void;
}

export interface LogReplied {
  status: number;
  body: Frame;
}

export function bearer(key: string): Record<string, string> {
  return key === '' ? {} : { authorization: `Bearer ${key}` };
}

/** A socket of /ws/logs; it may be refused by its first frame. */
export function openLogSocket(stack: Stack, { key, query = '', gateway = 0 }: LogVisit): Promise<Probe> {
  const headers = bearer(key);
  return connect(`${stack.url(gateway)}/ws/logs${query}`, { headers, timeoutMs: 30_000 });
}

/** A stream of /api/get-logs-stream; resolves with its headers. */
export async function openLogStream(
  stack: Stack,
  { key, query = '', gateway = 0 }: LogVisit,
): Promise<EventStream> {
  const abort = new AbortController();
  const response = await fetch(`${stack.httpUrl(gateway)}/api/get-logs-stream${query}`, {
    headers: bearer(key),
    signal: abort.signal,
  });
  const frames: Frame[] = [];
  let text = '';
  let ended = false;
  const follow = async () => {
    let parsed = 0;
    for await (const piece of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += piece;
      for (let end = text.indexOf('\n\n', parsed); end >= 0; end = text.indexOf('\n\n', parsed)) {
        const [, data] = /^data: (.*)$/m.exec(text.slice(parsed, end)) ?? [];
        if (data !== undefined) frames.push(JSON.parse(data));
        parsed = end + 2;
      }
    }
  };
  // However it ends: tests ask whether, and `abort` is an end of their own.
  void follow()
    .catch(() => undefined)
    .then(() => {
      ended = true;
    });
  return { response, frames, text: () => text, ended: () => ended, close: () => abort.abort() };
}

/** Asks an HTTP route; a string is sent as it is, anything else as JSON. */
export async function askHttp(
  stack: Stack,
  method: string,
  path: string,
  { key, body, gateway = 0 }: { key: string; body?: unknown; gateway?: number },
): Promise<LogReplied> {
  const response = await fetch(stack.httpUrl(gateway) + path, {
    method,
    headers: bearer(key),
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}

/** Makes a key as an admin. */
export async function makeKey(
  stack: Stack,
  admin: string,
  scopes: string[],
  more: object = {},
): Promise<{ id: string; key: string }> {
  const body = { name: 'e2e', scopes, ...more };
  const made = await askHttp(stack, 'POST', '/api/v1/api-keys', { key: admin, body });
  expect(made).toMatchObject({ status: 201 });
  return made.body;
}

/** Resolves once so many read, over sockets and HTTP, on all gateways together. */
export async function readersAre(stack: Stack, count: number): Promise<void> {
  const here = (gateway: ServiceProcess) => readMetric(gateway, 'natter_gateway_log_readers');
  await vi.waitFor(async () => {
    const counts = await Promise.all(stack.gateways.map(here));
    expect(counts.reduce((sum, one) => sum + one, 0)).toBe(count);
  }, LOGS_WAIT);
}

/** The frames up to the one with this text; resolves once it is there. */
export async function framesUpTo(reader: { readonly frames: Frame[] }, log: string): Promise<Frame[]> {
  const at = () => reader.frames.findIndex((frame) => frame.log === log);
  await vi.waitFor(() => expect(reader.frames.map((frame) => frame.log)).toContain(log), LOGS_WAIT);
  return reader.frames.slice(0, at() + 1);
}
