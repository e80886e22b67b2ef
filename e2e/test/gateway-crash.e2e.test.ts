/** Gateways that are killed or stopped while their clients wait for an answer. */
import { type Probe, type Stack, startStack } from '@natter/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { completedRuns } from '../src/agent-at-work.ts';
import { revive } from '../src/alive.ts';
import { ANSWER_MS, ask, expectWhole, openChat, readAnswer, send, terminals } from '../src/chat.ts';
import { reportFailures } from '../src/report-failures.ts';

const QUESTION = 'What is the engine power?';
const SLOW = { tokensPerSecond: 15 };

let stack: Stack;
let token: string;
beforeAll(async () => {
  stack = await startStack({ gateways: 2, agents: 2, demo: { ...SLOW, firstTokenMs: 0 } });
  token = await stack.token({ sub: 'alice' });
});
afterAll(() => stack?.stop());
reportFailures(() => stack);
beforeEach(() => stack.demo.behave(SLOW));
afterEach(() => revive(stack.gateways));

async function askAndSeeTokens(probe: Probe, message_id: string): Promise<void> {
  send(probe, { message: QUESTION, session_id: 'resumed', message_id });
  for (let count = 0; count < 5; count += 1) await probe.nextOfType('token', ANSWER_MS);
}

describe('the gateway of a client', () => {
  it('[crash/gateway-killed] killed in mid-run: the client asks another one again and gets the whole answer once', async () => {
    const gateway = stack.gateways[0];
    const before = await completedRuns(stack);
    const first = await openChat(stack.url(0), token);
    await askAndSeeTokens(first, 'gateway killed');
    await gateway?.kill();
    expect((await first.closing()).code).toBe(1006);
    expect(terminals(first)).toHaveLength(0);
    const second = await openChat(stack.url(1), token);
    const again = { message: QUESTION, session_id: 'resumed', message_id: 'gateway killed' };
    const answer = await ask(second, again);
    expectWhole(answer);
    const recalled = await ask(second, { message: 'What was my first question?', session_id: 'resumed' });
    expect(recalled.end.response).toContain(QUESTION);
    expect(terminals(second)).toHaveLength(2);
    await expect.poll(() => completedRuns(stack), { timeout: 30_000 }).toBe(before + 2);
    await second.close();
  });

  it('[crash/gateway-killed-idle] killed after the question was taken: the answer waits for whoever asks again', async () => {
    const gateway = stack.gateways[0];
    const first = await openChat(stack.url(0), token);
    const question = { message: QUESTION, session_id: 'waits', message_id: 'waits' };
    const before = await completedRuns(stack);
    send(first, question);
    await first.nextOfType('token', ANSWER_MS);
    await gateway?.kill();
    // Nobody listens while the run ends.
    await expect.poll(() => completedRuns(stack), { timeout: 60_000 }).toBe(before + 1);
    await gateway?.restart();
    const second = await openChat(stack.url(0), token);
    expectWhole(await ask(second, question));
    expect(await completedRuns(stack)).toBe(before + 1);
    await second.close();
  });

  it('[crash/gateway-stopped] stopped with SIGTERM: 1012 to everybody, no new sockets, exit code 0', async () => {
    const gateway = stack.gateways[0];
    const probes = await Promise.all(Array.from({ length: 20 }, () => openChat(stack.url(0), token)));
    const [asking] = probes;
    if (asking === undefined || gateway === undefined) throw new Error('no gateway');
    await askAndSeeTokens(asking, 'gateway stopped');
    const other = await openChat(stack.url(1), token);
    const exit = gateway.stop();
    const closings = await Promise.all(probes.map((probe) => probe.closing(30_000)));
    expect(closings).toEqual(probes.map(() => ({ code: 1012, reason: 'Service restart' })));
    expect(await exit).toEqual({ code: 0, signal: null });
    await expect(openChat(stack.url(0), token)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    // The other gateway's clients notice nothing, and it has the answer that was under way.
    send(other, { message: QUESTION, session_id: 'resumed', message_id: 'gateway stopped' });
    expectWhole(await readAnswer(other));
    await other.close();
  });
});
