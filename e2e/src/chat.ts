/** A client on chat-v1 for tests: asks, collects what comes back, and judges it as a whole. */
import { RUN_STEPS } from '@natter/proto';
import { connect, type Frame, type Probe } from '@natter/testkit';
import { expect } from 'vitest';

export interface Question {
  message: string;
  session_id?: string;
  customer_id?: string;
  message_id?: string;
}

/** All frames of one question, sorted. */
export interface Answer {
  steps: string[];
  tokens: string[];
  partials: string[];
  /** The terminal frame: `complete` or `error`. */
  end: Frame;
}

/** An answer on two cores that do other work as well, the takeover from a dead agent included. */
export const ANSWER_MS = 60_000;

/** Opens a socket with the token in the query and waits for `auth_success`. */
export async function openChat(url: string, token: string): Promise<Probe> {
  const probe = await connect(`${url}/ws/chat?token=${token}`, { timeoutMs: 30_000 });
  await probe.nextOfType('auth_success', 30_000);
  return probe;
}

export function send(probe: Probe, question: Question): void {
  probe.send({ type: 'message', ...question });
}

/** Sends the question and reads until its terminal frame. */
export async function ask(probe: Probe, question: Question | string): Promise<Answer> {
  send(probe, typeof question === 'string' ? { message: question } : question);
  return readAnswer(probe);
}

/** The frames up to the next terminal one; only for a socket with one question at a time. */
export async function readAnswer(probe: Probe, timeoutMs = ANSWER_MS): Promise<Answer> {
  const answer: Answer = { steps: [], tokens: [], partials: [], end: null };
  for (;;) {
    const frame = await probe.next(undefined, timeoutMs);
    if (frame.type === 'progress') answer.steps.push(frame.step);
    else if (frame.type === 'token') {
      answer.tokens.push(frame.token);
      answer.partials.push(frame.partial_response);
    } else if (isTerminal(frame)) return { ...answer, end: frame };
    else throw new Error(`no frame of an answer: ${JSON.stringify(frame)}`);
  }
}

/** The one answer among everything a socket got, for tests that watched it arrive. */
export function answerIn(probe: Probe): Answer {
  const frames = probe.frames.filter(({ type }) => type !== 'auth_success');
  const tokens = frames.filter(({ type }) => type === 'token');
  return {
    steps: frames.filter(({ type }) => type === 'progress').map(({ step }) => step),
    tokens: tokens.map((frame) => frame.token),
    partials: tokens.map((frame) => frame.partial_response),
    end: frames.at(-1) ?? null,
  };
}

/** The steps in order and once, and tokens that add up to the response at every frame. */
export function expectWhole(answer: Answer): void {
  expect(answer.end).toMatchObject({ type: 'complete' });
  expect(answer.steps).toEqual(RUN_STEPS);
  expect(answer.tokens.join('')).toBe(answer.end.response);
  let sum = '';
  expect(answer.partials).toEqual(answer.tokens.map((token) => (sum += token)));
}

/** Terminal frames among everything the socket got. */
export function terminals(probe: Probe): Frame[] {
  return probe.frames.filter(isTerminal);
}

function isTerminal(frame: Frame): boolean {
  return frame?.type === 'complete' || frame?.type === 'error';
}
