/** Agents that are killed, paused or stopped in mid-run, with two gateways and two agents. */
import { type Probe, type Stack, startStack } from '@natter/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type AtWork, agentAtWork } from '../src/agent-at-work.ts';
import { revive } from '../src/alive.ts';
import { ANSWER_MS, answerIn, ask, expectWhole, openChat, readAnswer, send, terminals } from '../src/chat.ts';
import { readMetric } from '../src/metrics.ts';
import { reportFailures } from '../src/report-failures.ts';

/** Another agent goes on within this time. Source: issue 2, What it must show. */
const TAKEOVER_MS = 8_000;
/**
 * A dead agent's turn comes back 6 s after its last sign of life, which is at most 2 s old. What
 * is quicker than this was handed over.
 */
const SILENCE_MS = 4_000;
/** The two that measure may be late once where other tests take the machine; never again and again. */
const MEASURED = { retry: 2 };
const QUESTION = 'What is the engine power?';
/** The answer has about 50 tokens: 5 s, so that what is killed dies in the middle. */
const SLOW = { tokensPerSecond: 10 };
/** Slow enough to be seen at work, quick enough to be waited for. */
const BRISK = { tokensPerSecond: 25 };
const FAST = { tokensPerSecond: 0 };

let stack: Stack;
let token: string;
let probe: Probe;
beforeAll(async () => {
  stack = await startStack({ gateways: 2, agents: 2, demo: { ...SLOW, firstTokenMs: 0 } });
  token = await stack.token({ sub: 'alice' });
});
afterAll(() => stack?.stop());
reportFailures(() => stack);

beforeEach(async () => {
  await stack.demo.behave(SLOW);
  probe = await openChat(stack.url(), token);
});
afterEach(async () => {
  await probe.close();
  await revive(stack.agents);
});

/** Asks, and returns when some of the answer is there, with who writes it. */
async function askAndCatch(): Promise<AtWork> {
  send(probe, { message: QUESTION });
  for (let count = 0; count < 5; count += 1) await probe.nextOfType('token', ANSWER_MS);
  const found = await agentAtWork(stack);
  expect(terminals(probe)).toHaveLength(0);
  return found;
}

/** Waits until another agent has taken the run and the client sees that the answer goes on. */
async function seeTakeover({ idle }: AtWork): Promise<void> {
  const [other] = idle;
  if (other === undefined) throw new Error('there is no other agent');
  // What the first agent published last may still be on its way: only then do frames count.
  await expect.poll(() => readMetric(other, 'natter_agent_runs'), { timeout: 30_000, interval: 20 }).toBe(1);
  const arrived = terminals(probe).length > 0 ? 0 : probe.frames.length;
  await expect.poll(() => probe.frames.length, { timeout: 30_000, interval: 10 }).toBeGreaterThan(arrived);
}

/** All the frames of the answer make one whole, and a later question shows that no more come. */
async function expectOneWholeAnswer(): Promise<void> {
  await probe.nextOfType('complete', ANSWER_MS);
  const answer = answerIn(probe);
  expectWhole(answer);
  expect(answer.end.response).toContain('132 kW');
  expectWhole(await ask(probe, 'How big is the boot?'));
  expect(terminals(probe)).toHaveLength(2);
}

describe('two gateways and two agents on one broker', () => {
  it('[scale/any-agent] any client is answered by any agent', async () => {
    await stack.demo.behave({ tokensPerSecond: 60 });
    const workers = new Set<string>();
    const other = await openChat(stack.url(1), token);
    // Both gateways, and as long as it takes until both agents had a turn.
    for (let turn = 0; turn < 40 && (turn < 4 || workers.size < 2); turn += 1) {
      const client = turn % 2 === 0 ? probe : other;
      send(client, { message: QUESTION });
      const { agent } = await agentAtWork(stack);
      workers.add(agent.name);
      expectWhole(await readAnswer(client));
    }
    expect(workers.size).toBe(2);
    await other.close();
  });
});

describe('the agent that writes the answer', () => {
  it(
    '[crash/agent-killed] killed with -9: another goes on within 8 s, and the answer is whole',
    MEASURED,
    async () => {
      const atWork = await askAndCatch();
      await stack.demo.behave(BRISK);
      const killedAt = performance.now();
      await atWork.agent.kill();
      await seeTakeover(atWork);
      expect(performance.now() - killedAt).toBeLessThan(TAKEOVER_MS);
      await expectOneWholeAnswer();
    },
  );

  it('[crash/other-agent-killed] goes on alone when the other one is killed', async () => {
    const { agent, idle } = await askAndCatch();
    await Promise.all(idle.map((other) => other.kill()));
    await stack.demo.behave(FAST);
    await expectOneWholeAnswer();
    await agent.line(/"run ended"/);
  });

  it('[crash/agent-paused] paused past its takeover and resumed: nothing late reaches the client', async () => {
    const atWork = await askAndCatch();
    const { agent } = atWork;
    const lost = () => agent.lines.filter((line) => line.includes('taken over by another agent')).length;
    const lostBefore = lost();
    agent.pause();
    await stack.demo.behave(BRISK);
    await seeTakeover(atWork);
    // The other one is writing: both want to publish now.
    agent.resume();
    await expect.poll(lost, { timeout: 30_000 }).toBe(lostBefore + 1);
    await expectOneWholeAnswer();
  });

  it(
    '[crash/agent-stopped] stopped with SIGTERM: hands over at once and exits with 0',
    MEASURED,
    async () => {
      const { agent } = await askAndCatch();
      await stack.demo.behave(FAST);
      const stoppedAt = performance.now();
      const exit = agent.stop();
      await probe.nextOfType('complete', ANSWER_MS);
      expect(performance.now() - stoppedAt).toBeLessThan(SILENCE_MS);
      expect(await exit).toEqual({ code: 0, signal: null });
    },
  );

  it('[crash/all-agents-killed] killed with all others: the question waits and is answered by those who come', async () => {
    await askAndCatch();
    await Promise.all(stack.agents.map((agent) => agent.kill()));
    const waiting = await openChat(stack.url(1), token);
    send(waiting, { message: 'How big is the boot?', session_id: 'asked of nobody' });
    await stack.demo.behave(FAST);
    await Promise.all(stack.agents.map((agent) => agent.restart()));
    await expectOneWholeAnswer();
    expectWhole(await readAnswer(waiting));
    await waiting.close();
  });
});
