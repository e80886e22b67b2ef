/** A client on session-v1 for tests: asks, collects what comes back, and judges it as a whole. */
import { connect, type Frame, type Probe } from '@natter/testkit';
import { expect } from 'vitest';
import { ANSWER_MS } from './chat.ts';

export interface SessionAnswer {
  echo: Frame;
  tools: Frame[];
  partials: string[];
  /** The terminal frame: `agent` or `error`. */
  end: Frame;
}

/** How a client comes: with a token, from a page, with parameters of its own. */
export interface SessionVisit {
  token?: string;
  origin?: string;
  query?: Record<string, string>;
}

/** Opens a socket; `session` is written into the path as it has to be. */
export function openSession(url: string, session: string, visit: SessionVisit = {}): Promise<Probe> {
  const { token, origin, query = {} } = visit;
  const parameters = new URLSearchParams({ ...query, ...(token && { token }) }).toString();
  const path = `/ws/${encodeURIComponent(session)}${parameters && `?${parameters}`}`;
  return connect(url + path, { origin, timeoutMs: 30_000 });
}

export async function askSession(probe: Probe, content: string, more: object = {}): Promise<SessionAnswer> {
  probe.send({ content, ...more });
  return readSessionAnswer(probe);
}

/** The frames of one question, from its echo to its end; pings are passed over. */
export async function readSessionAnswer(probe: Probe): Promise<SessionAnswer> {
  const answer: SessionAnswer = { echo: null, tools: [], partials: [], end: null };
  for (;;) {
    const frame = await probe.next(({ type }) => type !== 'ping', ANSWER_MS);
    if (frame.type === 'user' && answer.echo === null) answer.echo = frame;
    else if (frame.type === 'tool') answer.tools.push(frame);
    else if (frame.type === 'agent_partial') answer.partials.push(frame.content);
    else if (frame.type === 'agent' || frame.type === 'error') return { ...answer, end: frame };
    else throw new Error(`no frame of an answer: ${JSON.stringify(frame)}`);
  }
}

/** The echo, then accumulations that only grow, at least one, up to the final text. */
export function expectWholeSession(answer: SessionAnswer, content: string): void {
  expect(answer.echo).toEqual({ type: 'user', content });
  expect(answer.end).toMatchObject({ type: 'agent' });
  expect(answer.partials.length).toBeGreaterThan(0);
  let before = '';
  for (const partial of answer.partials) {
    expect(partial.startsWith(before)).toBe(true);
    before = partial;
  }
  expect(before).toBe(answer.end.content);
}
