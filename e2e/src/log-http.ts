/** The HTTP side of logs, for tests: keys, and lines that come from outside. */
import type { Frame, Stack } from '@natter/testkit';
import { expect } from 'vitest';
import { readMetric } from './metrics.ts';

/** LOGS_API_KEY of stacks whose tests read logs. */
export const LOGS_KEY = 'a-key-of-the-environment';

export interface LogReply {
  status: number;
  body: Frame;
}

export interface LineSent {
  msg: string;
  level?: string;
  category?: string;
  service?: string;
  [field: string]: unknown;
}

export async function askLogs(
  url: string,
  { key, method = 'POST', body, headers }: LogRequest,
): Promise<LogReply> {
  const response = await fetch(url, {
    method,
    headers: { authorization: `Bearer ${key}`, ...headers },
    ...(body !== undefined && { body }),
    signal: AbortSignal.timeout(30_000),
  });
  return { status: response.status, body: await response.json() };
}

interface LogRequest {
  key: string;
  method?: string;
  body?: string;
  headers?: Record<string, string>;
}

/** Sends lines in one batch; the broker stores those of a batch in any order. */
export function sendLines(
  stack: Stack,
  lines: readonly LineSent[],
  { gateway = 0, key = LOGS_KEY } = {},
): Promise<LogReply> {
  const body = lines.map((line) => JSON.stringify(line)).join('\n');
  return askLogs(`${stack.httpUrl(gateway)}/api/logs`, { key, body });
}

/** The same, and the broker has all of them. */
export async function storeLines(stack: Stack, lines: readonly LineSent[], gateway = 0): Promise<void> {
  expect((await sendLines(stack, lines, { gateway })).body).toEqual({ accepted: lines.length, refused: [] });
}

export async function makeKey(
  stack: Stack,
  admin: string,
  ...scopes: string[]
): Promise<{ id: string; key: string }> {
  const body = JSON.stringify({ name: 'test', scopes });
  const made = await askLogs(`${stack.httpUrl()}/api/v1/api-keys`, { key: admin, body });
  expect(made.status, JSON.stringify(made.body)).toBe(201);
  return made.body;
}

/** Waits until the gateways have so many readers each: from then on these miss no line. */
export async function readersHere(stack: Stack, ...counts: number[]): Promise<void> {
  const here = () =>
    Promise.all(stack.gateways.map((gateway) => readMetric(gateway, 'natter_gateway_log_readers')));
  await expect.poll(here, { timeout: 20_000, interval: 20 }).toEqual(counts);
}
