/** rooms-v1 frame by frame, as seeds/004 shows it, against the real stack. */

import { type DemoModel, startDemoModel } from '@natter/demo-model';
import { type Stack, startStack } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reportFailures } from '../src/report-failures.ts';
import {
  answerTo,
  ask,
  expectWholeInRoom,
  join,
  openRooms,
  POWER,
  post,
  refusal,
  say,
  settled,
} from '../src/rooms-chat.ts';

/** The least that the gateway takes. */
const HEARTBEAT_S = 8;
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;
const ID = /^[\w-]{16,}$/;
const CORRELATION_ID = /^[0-9a-f]{32}$/;
/** The fault hits only questions with this word. */
const FAULTY = 'gearbox';

let stack: Stack;
let model: DemoModel;
let token: string;
beforeAll(async () => {
  model = await startDemoModel({
    host: '127.0.0.1',
    port: 0,
    tokensPerSecond: 300,
    firstTokenMs: 0,
    faults: { kind: 'cut', afterTokens: 3, matching: FAULTY },
  });
  stack = await startStack({
    env: {
      OPENAI_BASE_URL: model.url,
      // On the price table, with a price of its own for either direction.
      NATTER_MODEL: 'gpt-4',
      NATTER_ALLOWED_MODELS: 'gpt-4o',
      WEBSOCKET_HEARTBEAT_INTERVAL: String(HEARTBEAT_S),
    },
  });
  token = await stack.token({ sub: 'alice', name: 'Alice' });
});
afterAll(async () => {
  await stack?.stop();
  await model?.close();
});
reportFailures(() => stack);

const time = () => expect.stringMatching(TIME);
const id = () => expect.stringMatching(ID);

/** Bodies of the requests for answers, without the classifications before them. */
function answersAsked(from: number): Record<string, unknown>[] {
  const bodies = model.requests.slice(from).map(({ body }) => body as Record<string, unknown>);
  return bodies.filter(({ response_format }) => response_format === undefined);
}

describe('a connection', () => {
  it('[rooms/endpoint] [rooms/connect-query] [rooms/frame-connect] [rooms/jwt] begins with connect, for the user of its token', async () => {
    const probe = await openRooms(stack.url(), token);
    expect(probe.frames).toEqual([
      {
        type: 'connect',
        data: {
          connection_id: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
          status: 'connected',
          server_time: time(),
          user_id: 'alice',
          username: 'Alice',
        },
      },
    ]);
    expect(Math.abs(Date.now() - Date.parse(probe.frames[0].data.server_time))).toBeLessThan(60_000);
    await probe.close();
  });

  it('[rooms/frame-heartbeat] [rooms/env-heartbeat] hears a heartbeat in each interval, without asking', async () => {
    const probe = await openRooms(stack.url(), token);
    const openedAt = performance.now();
    const first = await probe.nextOfType('system', (HEARTBEAT_S + 10) * 1_000);
    // Deadlines are looked at once a second.
    expect(performance.now() - openedAt).toBeGreaterThan((HEARTBEAT_S - 2) * 1_000);
    expect(first).toEqual({ type: 'system', data: { heartbeat: true, server_time: time() } });
    await probe.close();
  });

  it('[rooms/both-ways] [rooms/many-conversations] holds several conversations at once, each with its own answer', async () => {
    const probe = await openRooms(stack.url(), token);
    say(probe, POWER.question, { id: 'power', data: { conversation_id: 'one' } });
    say(probe, 'What was my first question?', { id: 'first', data: { conversation_id: 'two' } });
    const ends = [await probe.next(isEnd, 60_000), await probe.next(isEnd, 60_000)];
    const responses = new Map(ends.map(({ data }) => [data.conversation_id, data.response]));
    expect(responses.get('one')).toMatch(POWER.answer);
    expect(responses.get('two')).toContain('This is your first question');
    await probe.close();
  });
});

const isEnd = ({ type, data }: { type: string; data: { done?: boolean } }) => type === 'chat' && !!data.done;

describe('the example message of the seed', () => {
  it('[rooms/first-message] [rooms/room-broadcast] [rooms/message-id] [rooms/conversation-new] is answered in its room, by its own id', async () => {
    const probe = await openRooms(stack.url(), token);
    // Lines 66 to 84, without their comments.
    probe.send({
      type: 'chat',
      data: { message: 'Hello, AI!', conversation_id: null, model_preference: 'gpt-4', temperature: 0.7 },
      room_id: 'room-123',
      message_id: 'msg-1',
    });
    const answer = await answerTo(probe, 'msg-1');
    expectWholeInRoom(answer);
    expect(answer.end.data).toMatchObject({ room_id: 'room-123', conversation_id: 'room-123' });
    expect(answer.streaming.map(({ data }) => data.message_id)).toEqual(answer.deltas.map(() => 'msg-1'));
    await probe.close();
  });

  it('[rooms/frame-chat] [rooms/frame-streaming] [rooms/delta] [rooms/frame-completion] [rooms/completion-ids] [rooms/completion-both-costs] is answered by deltas, then by one frame without content', async () => {
    const probe = await openRooms(stack.url(), token);
    const answer = await ask(probe, POWER.question, { id: 'unique-id', data: { conversation_id: 123 } });
    expectWholeInRoom(answer);
    const { streaming, end } = answer;
    expect(streaming.length).toBeGreaterThan(3);
    for (const frame of streaming) {
      expect(frame).toEqual({
        type: 'chat',
        data: {
          role: 'assistant',
          content: expect.any(String),
          streaming: true,
          timestamp: time(),
          message_id: 'unique-id',
          id: id(),
          conversation_id: 123,
        },
      });
    }
    expect(end).toEqual({
      type: 'chat',
      data: {
        role: 'assistant',
        content: '',
        streaming: false,
        done: true,
        response: expect.stringMatching(POWER.answer),
        message_id: end.data.id,
        id: id(),
        reply_to: 'unique-id',
        reply_to_user: 'alice',
        timestamp: time(),
        conversation_id: 123,
        tokens_used: expect.any(Number),
        model_used: 'gpt-4',
        cost: end.data.cost_usd,
        cost_usd: expect.any(Number),
        response_time: expect.any(Number),
        agent: 'specs',
        confidence: expect.any(Number),
        sources: ['specs/engine.md'],
      },
    });
    await probe.close();
  });

  it('[rooms/conversation-new] makes a conversation of the connection’s own, which every frame names and which can be gone on with', async () => {
    const probe = await openRooms(stack.url(), token);
    const { end, streaming } = await ask(probe, POWER.question, {
      id: 'm-1',
      data: { conversation_id: null },
    });
    const { conversation_id } = end.data;
    expect(conversation_id).toMatch(/^[0-9a-f-]{36}$/);
    expect(new Set(streaming.map(({ data }) => data.conversation_id))).toEqual(new Set([conversation_id]));
    const other = await openRooms(stack.url(), token);
    const later = await ask(other, 'What was my first question?', { id: 'm-2', data: { conversation_id } });
    expect(later.end.data.response).toContain(POWER.question);
    await Promise.all([probe.close(), other.close()]);
  });

  it('[rooms/type-default] is a chat message without a type too', async () => {
    const probe = await openRooms(stack.url(), token);
    probe.send({ data: { message: POWER.question }, message_id: 'untyped' });
    expectWholeInRoom(await answerTo(probe, 'untyped'));
    await probe.close();
  });
});

describe('the options of a message', () => {
  it('[rooms/model-preference] [rooms/model-used] choose the model where it is allowed, and the answer names it', async () => {
    const probe = await openRooms(stack.url(), token);
    const from = model.requests.length;
    const data = { model_preference: 'gpt-4o' };
    const { end } = await ask(probe, POWER.question, { id: 'preferred', data });
    expect(answersAsked(from)).toMatchObject([{ model: 'gpt-4o' }]);
    expect(end.data.model_used).toBe('gpt-4o');
    const other = { model_preference: 'some-other-model' };
    const fallback = await ask(probe, POWER.question, { id: 'not-allowed', data: other });
    expect(fallback.end.data.model_used).toBe('gpt-4');
    await probe.close();
  });

  it('[rooms/temperature] [rooms/system-prompt] reach the model as they are', async () => {
    const probe = await openRooms(stack.url(), token);
    const from = model.requests.length;
    const data = { temperature: 0.35, system_prompt: 'You are a helpful pirate' };
    await ask(probe, POWER.question, { id: 'options', data });
    const [asked] = answersAsked(from);
    expect(asked).toMatchObject({ temperature: 0.35 });
    const [system] = (asked?.messages ?? []) as { role: string; content: string }[];
    expect(system).toMatchObject({ role: 'system' });
    expect(system?.content).toContain('You are a helpful pirate');
    await probe.close();
  });

  it('[rooms/max-tokens] bound the length of the answer', async () => {
    const probe = await openRooms(stack.url(), token);
    const from = model.requests.length;
    const { end, deltas } = await ask(probe, POWER.question, { id: 'short', data: { max_tokens: 5 } });
    expect(answersAsked(from)).toMatchObject([{ max_tokens: 5 }]);
    expect(model.requests.at(-1)?.tokens).toBe(5);
    expect(deltas.join('')).toBe(end.data.response);
    expect(end.data.response.length).toBeLessThan(60);
    await probe.close();
  });

  it('[rooms/validation] [rooms/message-format] out of range are an error that names the field', async () => {
    const probe = await openRooms(stack.url(), token);
    const bad = { temperature: 3, max_tokens: 0.5, system_prompt: 'x'.repeat(8_001), model_preference: 7 };
    for (const [field, value] of Object.entries(bad)) {
      say(probe, 'Hello', { id: field, data: { [field]: value } });
      expect((await refusal(probe)).data).toMatchObject({
        error: `Invalid field: ${field}`,
        code: 'INVALID_FIELD',
      });
    }
    await probe.close();
  });
});

describe('what an answer cost', () => {
  it('[rooms/tokens-used] [rooms/cost] is what the provider reported, at the prices of the table', async () => {
    const probe = await openRooms(stack.url(), token);
    const from = model.requests.length;
    const { end } = await ask(probe, POWER.question, { id: 'costs', data: { conversation_id: 'costs' } });
    // The same requests again, for the usage that the provider reports of each.
    const usages = await Promise.all(
      model.requests.slice(from).map(async ({ body }) => {
        const response = await fetch(`${model.url}/chat/completions`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ ...(body as object), stream: false, stream_options: undefined }),
        });
        const { usage } = (await response.json()) as { usage: Record<string, number> };
        return usage;
      }),
    );
    const input = usages.reduce((sum, usage) => sum + (usage.prompt_tokens ?? 0), 0);
    const output = usages.reduce((sum, usage) => sum + (usage.completion_tokens ?? 0), 0);
    expect(output).toBeGreaterThan(3);
    expect(end.data.tokens_used).toBe(input + output);
    expect(end.data.cost_usd).toBeCloseTo((input * 30 + output * 60) / 1e6, 10);
    await probe.close();
  });

  it('[rooms/response-time] is in seconds, from the question to the end of the answer', async () => {
    const probe = await openRooms(stack.url(), token);
    model.setBehaviour({ firstTokenMs: 1_000 });
    const askedAt = performance.now();
    const { end } = await ask(probe, POWER.question, { id: 'measured' });
    const tookS = (performance.now() - askedAt) / 1_000;
    model.setBehaviour({ firstTokenMs: 0 });
    expect(end.data.response_time).toBeGreaterThanOrEqual(1);
    expect(end.data.response_time).toBeLessThanOrEqual(tookS);
    await probe.close();
  });
});

describe('system messages', () => {
  it('[rooms/frame-delivery] confirm a message by its id', async () => {
    const probe = await openRooms(stack.url(), token);
    await join(probe, 'no-ai', { ai: 'never' });
    expect(await post(probe, 'Hello', { room: 'no-ai', id: 'msg-123' })).toEqual({
      type: 'delivery_confirmation',
      data: {
        message_id: 'msg-123',
        id: id(),
        status: 'delivered',
        timestamp: time(),
        conversation_id: 'no-ai',
        room_id: 'no-ai',
      },
    });
    await probe.close();
  });

  it('[rooms/frame-error] [rooms/error-texts] [rooms/message-format] name a mistake in the words of the original', async () => {
    const probe = await openRooms(stack.url(), token);
    const refused = async (frame: unknown) => {
      probe.send(frame);
      return (await refusal(probe)).data;
    };
    for (const text of ['no JSON', '[]', '"chat"', '7', 'null'])
      expect(await refused(text)).toEqual({
        error: 'Invalid JSON format',
        code: 'INVALID_JSON',
        correlation_id: expect.stringMatching(CORRELATION_ID),
      });
    expect(await refused({ type: 'dance' })).toMatchObject({
      error: 'Invalid message type: dance',
      code: 'UNKNOWN_TYPE',
    });
    for (const message of ['', '  ', null, 7, undefined])
      expect(await refused({ type: 'chat', data: { message }, message_id: 'm' })).toMatchObject({
        error: 'Message content required',
        code: 'EMPTY_MESSAGE',
        message_id: 'm',
      });
    expect(await refused({ type: 'chat', data: 'Hello' })).toMatchObject({ code: 'INVALID_FIELD' });
    const group = { room_id: 'nowhere', room_type: 'group' };
    await join(probe, 'nowhere', { room_type: 'group' });
    const stranger = await openRooms(stack.url(), await stack.token({ sub: 'stranger' }));
    stranger.send({ type: 'join_room', data: group });
    expect((await refusal(stranger)).data).toMatchObject({
      error: 'Access denied to room',
      code: 'ROOM_DENIED',
    });
    await Promise.all([probe.close(), stranger.close()]);
  });

  it('[rooms/error-recovery] [rooms/error-texts] end an answer that failed, and the connection goes on', async () => {
    const probe = await openRooms(stack.url(), token);
    const { end } = await ask(probe, `How many gears does the ${FAULTY} have?`, { id: 'fails' });
    expect(end).toEqual({
      type: 'error',
      data: {
        error: 'AI processing error: The question could not be answered',
        code: 'PROCESSING_ERROR',
        correlation_id: expect.stringMatching(CORRELATION_ID),
        message_id: 'fails',
        id: id(),
        conversation_id: expect.any(String),
      },
    });
    probe.send('no JSON');
    await refusal(probe);
    expectWholeInRoom(await ask(probe, POWER.question, { id: 'works' }));
    await settled(probe);
    expect(probe.frames.filter(({ type }) => type === 'error')).toHaveLength(2);
    await probe.close();
  });
});
