/** session-v1 frame by frame, as seeds/002 shows it, against the real stack. */
import { ERRORS, LIMITS } from '@natter/proto';
import { connect, type Stack, startStack } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ANSWER_MS } from '../src/chat.ts';
import { reportFailures } from '../src/report-failures.ts';
import { askSession, expectWholeSession, openSession, readSessionAnswer } from '../src/session-chat.ts';

const LIST = 'List all tables';
/** The fault hits only questions with this word. */
const FAULTY = 'gearbox';
const CORRELATION_ID = /^[0-9a-f]{32}$/;
/** The least that the gateway takes. */
const HEARTBEAT_S = 8;

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({
    demo: {
      tokensPerSecond: 200,
      firstTokenMs: 0,
      fault: { kind: 'cut', afterTokens: 3, matching: FAULTY },
    },
    env: { WEBSOCKET_HEARTBEAT_INTERVAL: String(HEARTBEAT_S), NATTER_SESSION_RATE_LIMIT: '1000' },
  });
});
afterAll(() => stack?.stop());
reportFailures(() => stack);

describe('a question on session-v1', () => {
  it('[session/endpoint] [session/app] [session/content] [session/frame-in] [session/echo-first] [session/frame-user] comes back first, as it was sent', async () => {
    const probe = await openSession(stack.url(), 'echo');
    probe.send({ content: LIST });
    expect(await probe.next(() => true, ANSWER_MS)).toEqual({ type: 'user', content: LIST });
    // Nothing came before it: the wire has no greeting.
    expect(probe.frames[0]).toEqual({ type: 'user', content: LIST });
    await probe.close();
  });

  it('[session/partials] [session/final] [session/frame-agent-partial] [session/frame-agent] is answered by all so far, again and again, then whole', async () => {
    const probe = await openSession(stack.url(), 'partials');
    const answer = await askSession(probe, LIST);
    expectWholeSession(answer, LIST);
    expect(answer.partials.length).toBeGreaterThan(3);
    expect(probe.frames.find(({ type }) => type === 'agent_partial')).toEqual({
      type: 'agent_partial',
      content: answer.partials[0],
    });
    expect(Object.keys(answer.end).sort()).toEqual(['content', 'metrics', 'timestamp', 'type']);
    await probe.close();
  });

  it('[session/handler] [session/list-tables] [session/frame-tool] [session/tool-frames] is answered from the catalogue, and the tool shown between echo and answer', async () => {
    const probe = await openSession(stack.url(), 'tools');
    const { tools, end } = await askSession(probe, LIST);
    expect(end.content).toContain('fact_bs_purchase_order');
    expect(end.content).toContain('dimv_bs_supplier');
    expect(tools[0]).toEqual({ type: 'tool', content: expect.any(String), tool_name: 'list_tables' });
    expect(tools[0].content).toContain('fact_bs_purchase_order');
    expect(() => JSON.parse(tools[0].content)).not.toThrow();
    const order = probe.frames.map(({ type }) => type).filter((type) => type !== 'ping');
    expect(order.slice(0, 2)).toEqual(['user', 'tool']);
    await probe.close();
  });

  it('[session/message-by-message] follows the one before it on the same connection', async () => {
    const probe = await openSession(stack.url(), 'several');
    expectWholeSession(await askSession(probe, LIST), LIST);
    const second = 'Describe dimv_bs_supplier';
    expectWholeSession(await askSession(probe, second), second);
    await probe.close();
  });

  it('[session/empty-ignored] without content is ignored', async () => {
    const probe = await openSession(stack.url(), 'empty');
    for (const frame of [{ content: '' }, {}, { content: null }, { content: 7 }, { type: 'pong' }])
      probe.send(frame);
    expectWholeSession(await askSession(probe, LIST), LIST);
    expect(probe.frames[0]).toEqual({ type: 'user', content: LIST });
    await probe.close();
  });

  it('[session/bad-json] that is no JSON gets an error, and the connection stays', async () => {
    const probe = await openSession(stack.url(), 'bad-json');
    for (const text of ['List all tables', '"List all tables"', '[]']) probe.send(text);
    for (let refused = 0; refused < 3; refused += 1)
      expect(await probe.next()).toEqual({
        type: 'error',
        content: 'Invalid JSON format',
        code: 'INVALID_JSON',
        correlation_id: expect.stringMatching(CORRELATION_ID),
      });
    expectWholeSession(await askSession(probe, LIST), LIST);
    await probe.close();
  });

  it('[session/agent-error] [session/frame-error] [session/error-text] that fails ends with one error that tells nothing from inside', async () => {
    const probe = await openSession(stack.url(), 'fails');
    const { end } = await askSession(probe, `How many gears does the ${FAULTY} have?`);
    expect(end).toEqual({
      type: 'error',
      content: `Agent error: ${ERRORS.PROCESSING_ERROR.text}`,
      code: 'PROCESSING_ERROR',
      correlation_id: expect.stringMatching(CORRELATION_ID),
    });
    expectWholeSession(await askSession(probe, LIST), LIST);
    expect(probe.frames.filter(({ type }) => type === 'error')).toHaveLength(1);
    await probe.close();
  });

  it('sent again with its message_id is the same question', async () => {
    const probe = await openSession(stack.url(), 'again');
    const first = await askSession(probe, LIST, { message_id: 'm-1' });
    probe.send({ content: LIST, message_id: 'm-1' });
    const again = await probe.next(({ type }) => type === 'agent', ANSWER_MS);
    expect(again.content).toBe(first.end.content);
    await probe.close();
  });

  it('is stopped by cancel, and what there is of its answer is marked', async () => {
    await stack.demo.behave({ tokensPerSecond: 5 });
    const probe = await openSession(stack.url(), 'cancel');
    probe.send({ content: LIST, message_id: 'm-1' });
    await probe.nextOfType('agent_partial', ANSWER_MS);
    probe.send({ type: 'cancel' });
    const end = await probe.nextOfType('agent', ANSWER_MS);
    await stack.demo.behave({ tokensPerSecond: 200 });
    expect(end).toMatchObject({ cancelled: true });
    const partials = probe.frames.filter(({ type }) => type === 'agent_partial');
    expect(end.content).toBe(partials.at(-1).content);
    expect(probe.frames).toContainEqual({ type: 'cancel', status: 'cancelling', message_id: 'm-1' });
    await probe.close();
  });
});

describe('a session', () => {
  it('[session/connections] is seen from every connection to it', async () => {
    const [one, other] = [await openSession(stack.url(), 'two'), await openSession(stack.url(), 'two')];
    one.send({ content: LIST });
    const answers = [await readSessionAnswer(one), await readSessionAnswer(other)];
    for (const answer of answers) expectWholeSession(answer, LIST);
    expect(answers[0]?.end).toEqual(answers[1]?.end);
    await Promise.all([one.close(), other.close()]);
  });

  it('[session/disconnect] can be opened again, and knows what was said', async () => {
    const first = await openSession(stack.url(), 'returning');
    expectWholeSession(await askSession(first, LIST), LIST);
    await first.close();
    const second = await openSession(stack.url(), 'returning');
    const { end } = await askSession(second, 'What was my first question?');
    expect(end.content).toContain(LIST);
    await second.close();
  });

  it('[session/disconnect-mid-answer] goes on when one of its connections breaks in mid-answer', async () => {
    await stack.demo.behave({ tokensPerSecond: 20 });
    const [asker, watcher] = [await openSession(stack.url(), 'cut'), await openSession(stack.url(), 'cut')];
    asker.send({ content: LIST });
    await asker.nextOfType('agent_partial', ANSWER_MS);
    asker.socket.terminate();
    await stack.demo.behave({ tokensPerSecond: 200 });
    expectWholeSession(await readSessionAnswer(watcher), LIST);
    await watcher.close();
  });

  it('[session/owner] belongs to its user: the same name is another session to everybody else', async () => {
    const alice = await openSession(stack.url(), 'shared', { token: await stack.token({ sub: 'alice' }) });
    const bob = await openSession(stack.url(), 'shared', { token: await stack.token({ sub: 'bob' }) });
    const nobody = await openSession(stack.url(), 'shared');
    expectWholeSession(await askSession(alice, LIST), LIST);
    // Their own first question is the first thing that comes to each of them.
    for (const probe of [bob, nobody]) {
      const { echo, end } = await askSession(probe, 'What was my first question?');
      expect(echo.content).toBe('What was my first question?');
      expect(end.content).not.toContain(LIST);
      expect(probe.frames.filter(({ type }) => type === 'user')).toHaveLength(1);
    }
    await Promise.all([alice.close(), bob.close(), nobody.close()]);
  });

  it('[session/ping] is pinged by a frame in its rhythm', async () => {
    const probe = await openSession(stack.url(), 'quiet');
    for (let beat = 0; beat < 2; beat += 1)
      expect(await probe.next(() => true, 3 * HEARTBEAT_S * 1_000)).toEqual({ type: 'ping' });
    await probe.close();
  });

  it('[session/anonymous-development] needs no token in development', async () => {
    const probe = await openSession(stack.url(), 'anonymous');
    expectWholeSession(await askSession(probe, LIST), LIST);
    await probe.close();
  });

  it('takes strange names for names', async () => {
    for (const name of ['>', 'a.b', '*', '$JS.API.>', '__proto__', '\u{1f527}']) {
      const probe = await openSession(stack.url(), name);
      expectWholeSession(await askSession(probe, LIST), LIST);
      await probe.close();
    }
  });
});

describe('a session is closed with', () => {
  it('[session/invalid-session] 4001 when its name is too long or no text', async () => {
    for (const path of ['a'.repeat(LIMITS.idBytes + 1), '%ff%fe', '%ED%A0%BD']) {
      const probe = await connect(`${stack.url()}/ws/${path}`);
      expect(await probe.closing()).toEqual({ code: 4001, reason: 'Invalid session' });
    }
  });

  it('4001 when its token is refused, which is said before', async () => {
    const probe = await openSession(stack.url(), 'refused', { token: 'nonsense' });
    expect(await probe.closing()).toEqual({ code: 4001, reason: 'Invalid session' });
    expect(probe.frames).toEqual([
      {
        type: 'error',
        content: 'Invalid token',
        code: 'INVALID_TOKEN',
        correlation_id: expect.stringMatching(CORRELATION_ID),
      },
    ]);
  });

  it('[session/not-found] 4004 when it was to be resumed from somebody else’s cursor', async () => {
    const alice = await openSession(stack.url(), 'cursors', {
      token: await stack.token({ sub: 'alice' }),
      query: { seq: '1' },
    });
    alice.send({ content: LIST });
    const { cursor } = await alice.nextOfType('agent', ANSWER_MS);
    expect(cursor).toMatch(/\S/);
    const token = await stack.token({ sub: 'bob' });
    for (const resume of [cursor, 'nonsense']) {
      const bob = await openSession(stack.url(), 'cursors', { token, query: { resume } });
      expect(await bob.closing()).toEqual({ code: 4004, reason: 'Session not found' });
      expect(bob.frames.filter(({ type }) => type !== 'error')).toEqual([]);
    }
    await alice.close();
  });
});
