/** Limits that hold over sockets, wires and gateways at once: of a user, and of a session. */
import { connect, type Frame, type Probe, type Stack, startStack } from '@natter/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ANSWER_MS } from '../src/chat.ts';
import { CHAT_WIRES, type ChatWire, chatV1, roomsV1, type Seen, sessionV1 } from '../src/chat-wires.ts';
import { reportFailures } from '../src/report-failures.ts';
import { openSession } from '../src/session-chat.ts';

/** Above the limit of a session, so that each of the two shows. */
const USER_LIMIT = 30;
const SESSION_LIMIT = 20;
/** Longer than the test: nothing leaves the window while it is counted. */
const WINDOW_S = 600;

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({
    gateways: 2,
    demo: { tokensPerSecond: 0, firstTokenMs: 0, answer: 'echo' },
    env: {
      WS_RATE_LIMIT_REQUESTS: String(USER_LIMIT),
      WS_RATE_LIMIT_WINDOW: String(WINDOW_S),
      NATTER_SESSION_RATE_LIMIT: String(SESSION_LIMIT),
      NATTER_MAX_TURNS_PER_CONNECTION: '64',
    },
  });
});
afterAll(() => stack?.stop());
reportFailures(() => stack);

const open: Probe[] = [];
afterEach(() => Promise.all(open.splice(0).map((probe) => probe.close())));

async function enter(wire: ChatWire, token: string, gateway: number): Promise<Probe> {
  const conversation = `${wire.name} at ${gateway}`;
  const probe = await connect(stack.url(gateway) + wire.path({ token, conversation }));
  open.push(probe);
  if (wire.greets) await probe.next((frame) => seen(wire, frame, 'ready'), ANSWER_MS);
  return probe;
}

function seen(wire: ChatWire, frame: Frame, kind: Seen['kind']): boolean {
  return [wire.read(frame) ?? []].flat().some((one) => one.kind === kind);
}

/** `retry_after` of each refusal, whatever it is called around it. */
function refusals(probe: Probe): number[] {
  const bodies = probe.frames.map((frame) => frame.data ?? frame);
  return bodies.filter(({ code }) => code === 'RATE_LIMIT').map(({ retry_after }) => retry_after);
}

/** Answers to questions of this probe; those of rooms-v1 see other devices’ answers as well. */
function answered(wire: ChatWire, probe: Probe): number {
  const own = (frame: Frame) => wire !== roomsV1 || String(frame.data?.reply_to).startsWith('own ');
  return probe.frames.filter((frame) => seen(wire, frame, 'end') && own(frame)).length;
}

function expectRetry(seconds: number): void {
  expect(Number.isInteger(seconds)).toBe(true);
  expect(seconds).toBeGreaterThanOrEqual(1);
  expect(seconds).toBeLessThanOrEqual(WINDOW_S);
}

describe('the limit of a user', () => {
  it('[rate/user] holds over six sockets of four wires and HTTP on two gateways: so many are answered, and the others told when to come back', async () => {
    const token = await stack.token({ sub: 'alice' });
    const wires = [...CHAT_WIRES, chatV1, sessionV1];
    const doors = await Promise.all(
      wires.map(async (wire, index) => ({ wire, probe: await enter(wire, token, index % 2) })),
    );
    const PER_DOOR = 8;
    const posts: Promise<Response>[] = [];
    for (let number = 0; number < PER_DOOR; number += 1) {
      for (const [door, { wire, probe }] of doors.entries())
        probe.send(wire.ask(`Question ${number}`, `own ${door} ${number}`, { token, conversation: 'c' }));
      for (const gateway of [0, 1])
        posts.push(
          fetch(`${stack.httpUrl(gateway)}/api/v1/chat`, {
            method: 'POST',
            headers: { authorization: `Bearer ${token}` },
            body: JSON.stringify({ message: `Question ${number}` }),
          }),
        );
    }
    const replies = await Promise.all(posts);
    const asked = doors.length * PER_DOOR + posts.length;
    const refused = () => doors.flatMap(({ probe }) => refusals(probe));
    const taken = () => doors.reduce((sum, { wire, probe }) => sum + answered(wire, probe), 0);
    const overHttp = replies.filter(({ status }) => status === 200).length;
    const limited = replies.filter(({ status }) => status === 429);
    expect(overHttp + limited.length).toBe(posts.length);
    await expect.poll(() => taken() + refused().length, { timeout: ANSWER_MS }).toBe(asked - posts.length);
    expect(taken() + overHttp).toBe(USER_LIMIT);
    for (const seconds of refused()) expectRetry(seconds);
    for (const reply of limited) {
      expectRetry(Number(reply.headers.get('retry-after')));
      expect(await reply.json()).toMatchObject({ code: 'RATE_LIMIT', error: 'Rate limit exceeded' });
    }
  });

  it('goes on for somebody who comes again, and is no other user’s', async () => {
    const ask = async (sub: string, gateway: number) => {
      const token = await stack.token({ sub });
      const probe = await enter(chatV1, token, gateway);
      probe.send(chatV1.ask('Anything?', 'own late', { token }));
      return probe.next((frame) => frame.type === 'complete' || frame.type === 'error', ANSWER_MS);
    };
    for (const gateway of [0, 1]) {
      expect(await ask('alice', gateway)).toMatchObject({ type: 'error', code: 'RATE_LIMIT' });
      expect(await ask('bob', gateway)).toMatchObject({ type: 'complete' });
    }
  });
});

describe('the limit of a session', () => {
  it('[rate/session] holds over two gateways: 20 messages are taken, and another session of the user goes on', async () => {
    const token = await stack.token({ sub: 'carol' });
    const probes = await Promise.all([0, 1].map((at) => openSession(stack.url(at), 'one', { token })));
    const EACH = 12;
    for (let number = 0; number < EACH; number += 1)
      for (const [at, probe] of probes.entries()) probe.send({ content: `Question ${number} at ${at}` });
    const refused = () => probes.flatMap(refusals);
    await expect.poll(() => refused().length, { timeout: ANSWER_MS }).toBe(2 * EACH - SESSION_LIMIT);
    for (const seconds of refused()) expectRetry(seconds);
    // Both see every question that was taken.
    for (const probe of probes)
      await expect
        .poll(() => probe.frames.filter(({ type }) => type === 'agent').length, { timeout: ANSWER_MS })
        .toBe(SESSION_LIMIT);
    const other = await openSession(stack.url(), 'another', { token });
    other.send({ content: 'Anything?' });
    await other.nextOfType('agent', ANSWER_MS);
    await Promise.all([...probes, other].map((probe) => probe.close()));
  });
});
