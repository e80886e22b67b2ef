/** A client on rooms-v1 for tests: connects, joins, says, and collects an answer by its question. */
import { connect, type Frame, type Probe } from '@natter/testkit';
import { expect } from 'vitest';
import { ANSWER_MS } from './chat.ts';

/** The path of seeds/004. */
export const ROOMS_PATH = '/api/v1/ws/ws';

/** A question that the demo model answers from the sample knowledge, and a part of the answer. */
export const POWER = { question: 'What is the engine power?', answer: /132 kW/ };

/** All frames of one answer, as one connection got them. */
export interface RoomAnswer {
  /** `content` of each streaming frame. */
  deltas: string[];
  streaming: Frame[];
  /** Typing frames of the AI. */
  typing: Frame[];
  /** The terminal frame: `chat` with `done`, or `error`. */
  end: Frame;
}

/** Opens a socket with the token in the query and waits for `connect`. */
export async function openRooms(
  url: string,
  token: string,
  query: Record<string, string> = {},
): Promise<Probe> {
  const parameters = new URLSearchParams({ token, ...query });
  const probe = await connect(`${url}${ROOMS_PATH}?${parameters}`, { timeoutMs: 30_000 });
  await probe.nextOfType('connect', 30_000);
  return probe;
}

/** Joins and returns the confirmation; fails when it is refused. */
export async function join(probe: Probe, room_id: string, more: object = {}): Promise<Frame> {
  probe.send({ type: 'join_room', data: { room_id, ...more } });
  const answer = await probe.next(({ type }) => type === 'join_room' || type === 'error', ANSWER_MS);
  expect(answer).toMatchObject({ type: 'join_room', data: { room_id } });
  return answer;
}

export interface Saying {
  room?: string;
  id?: string;
  /** Further fields of `data`. */
  data?: object;
}

export function say(probe: Probe, message: string, { room, id, data = {} }: Saying = {}): void {
  probe.send({ type: 'chat', data: { message, ...data }, room_id: room, message_id: id });
}

/** Says something that the AI answers, and reads to the end of the answer. */
export async function ask(
  probe: Probe,
  message: string,
  saying: Saying & { id: string },
): Promise<RoomAnswer> {
  say(probe, message, saying);
  return answerTo(probe, saying.id);
}

/** Says something that nobody answers; resolves once the broker has it. */
export async function post(probe: Probe, message: string, saying: Saying & { id: string }): Promise<Frame> {
  say(probe, message, saying);
  return probe.next(
    ({ type, data }) => type === 'delivery_confirmation' && data.message_id === saying.id,
    ANSWER_MS,
  );
}

/** Reads up to the last frame of the answer to this message, the typing of the AI included. */
export async function answerTo(probe: Probe, messageId: string): Promise<RoomAnswer> {
  const end = await probe.next((frame) => isEnd(frame) && endOf(frame) === messageId, ANSWER_MS);
  // A message that was refused has no run, and nobody typed.
  if (end.data.id !== undefined) {
    await probe.next(
      ({ type, data }) => type === 'typing' && data.id === end.data.id && !data.is_typing,
      ANSWER_MS,
    );
  }
  const all = probe.frames.filter(({ data }) => data?.id !== undefined && data.id === end.data.id);
  const streaming = all.filter(({ type, data }) => type === 'chat' && data.streaming === true);
  return {
    streaming,
    deltas: streaming.map(({ data }) => data.content),
    typing: all.filter(({ type }) => type === 'typing'),
    end,
  };
}

/** One end, deltas that add up to it, and the AI typing from the first to the last. */
export function expectWholeInRoom({ deltas, typing, end }: RoomAnswer): void {
  expect(end).toMatchObject({ type: 'chat', data: { role: 'assistant', done: true, streaming: false } });
  expect(deltas.join('')).toBe(end.data.response);
  expect(typing.map(({ data }) => data.is_typing)).toEqual([true, false]);
}

/** The next error frame. */
export function refusal(probe: Probe): Promise<Frame> {
  return probe.nextOfType('error', ANSWER_MS);
}

/** What people said that this connection was shown, in order. */
export function heard(probe: Probe): string[] {
  return probe.frames
    .filter(({ type, data }) => type === 'chat' && data.role === 'user')
    .map(({ data }) => data.content);
}

/** Resolves when the connection has got everything that was sent to it before. */
export async function settled(probe: Probe): Promise<void> {
  probe.send({ type: 'ping' });
  await probe.nextOfType('pong', ANSWER_MS);
}

function isEnd({ type, data }: Frame): boolean {
  return type === 'error' || (type === 'chat' && data.done === true);
}

function endOf({ type, data }: Frame): string {
  return type === 'error' ? data.message_id : data.reply_to;
}
