/** A client on fastchat-v1 for tests: connects, asks, and collects what comes before each `--eof`. */
import { createHmac } from 'node:crypto';
import { connect, type Frame, type Probe } from '@natter/testkit';
import { expect } from 'vitest';
import { ANSWER_MS } from './chat.ts';

export const ACCEPTED = { status: 'success', detail: 'Connected: Connection Accepted' };
export const EOF = '--eof';

/** How a client comes; `route` is the last part of the path. */
export interface FastchatVisit {
  route?: 'user' | 'admin';
  headers?: Record<string, string>;
  query?: Record<string, string>;
}

/** Opens a socket and reads nothing: it may be refused by its first frame. */
export function dialFastchat(url: string, { route = 'user', headers, query }: FastchatVisit): Promise<Probe> {
  const parameters = new URLSearchParams(query).toString();
  return connect(`${url}/chat/${route}${parameters && `?${parameters}`}`, { headers, timeoutMs: 30_000 });
}

/** The same, up to the confirmation. */
export async function openFastchat(url: string, visit: FastchatVisit): Promise<Probe> {
  const probe = await dialFastchat(url, visit);
  expect(await probe.next(undefined, ANSWER_MS)).toEqual(ACCEPTED);
  return probe;
}

/** All JSON frames of one answer; the terminator is read and left out. */
export async function askFastchat(probe: Probe, text: string): Promise<Frame[]> {
  probe.send(text);
  return readFastchat(probe);
}

export async function readFastchat(probe: Probe): Promise<Frame[]> {
  const frames: Frame[] = [];
  for (;;) {
    const frame = await probe.next(undefined, ANSWER_MS);
    if (frame === EOF) return frames;
    frames.push(frame);
  }
}

/** The text that the pieces make. */
export function textOf(frames: Frame[]): string {
  return frames.flatMap(({ type, response }) => (type === 'response' ? [response] : [])).join('');
}

/** What the steps of this name say. */
export function steps(frames: Frame[], name: string): string[] {
  return frames.filter(({ type, step }) => type === 'step' && step === name).map(({ message }) => message);
}

/** HS256 as PROTOCOLS says: header and claims as they are given. */
export function signClientToken(key: string, claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
}

/** The header and the claims of a token, its signature unchecked. */
export function claimsOf(token: string): { header: Frame; claims: Frame } {
  const [header, claims] = token.split('.').map((part) => {
    try {
      return JSON.parse(Buffer.from(part, 'base64url').toString());
    } catch {
      return null;
    }
  });
  return { header, claims };
}

/** Whether the signature is that of this key. */
export function isSignedBy(key: string, token: string): boolean {
  const at = token.lastIndexOf('.');
  const expected = createHmac('sha256', key).update(token.slice(0, at)).digest('base64url');
  return token.slice(at + 1) === expected;
}

/** Asks a token route and returns its status and body. */
export async function askTokens(
  httpUrl: string,
  path: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: Frame }> {
  const response = await fetch(`${httpUrl}/auth/token/${path}`, { headers });
  return { status: response.status, body: await response.json() };
}
