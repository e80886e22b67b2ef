/** A question that kills every agent that takes it. */
import { type Stack, startStack } from '@natter/testkit';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { agentAtWork } from '../src/agent-at-work.ts';
import { ask, expectWhole, openChat, send, terminals } from '../src/chat.ts';
import { reportFailures } from '../src/report-failures.ts';

/** Each death is noticed after 6 s; the agent that comes after the fifth one gives up. */
const DEATHS = 5;
const TIME_LIMIT_MS = 180_000;

let stack: Stack;
beforeAll(async () => {
  // Two minutes for the whole answer: no agent lives to see its end.
  stack = await startStack({ agents: 2, demo: { tokensPerSecond: 0.4, firstTokenMs: 0 } });
});
afterAll(() => stack?.stop());
reportFailures(() => stack);

it(
  '[crash/dead-turn] ends with one PROCESSING_ERROR, and the conversation goes on after it',
  async () => {
    const probe = await openChat(stack.url(), await stack.token({ sub: 'alice' }));
    const session_id = 'deadly';
    send(probe, { message: 'What is the engine power?', session_id });
    for (let death = 1; death <= DEATHS; death += 1) {
      const { agent } = await agentAtWork(stack);
      expect(terminals(probe)).toHaveLength(0);
      await agent.kill();
      await agent.restart();
    }
    const end = await probe.next(({ type }) => type === 'error' || type === 'complete', 60_000);
    expect(end).toMatchObject({ type: 'error', code: 'PROCESSING_ERROR', session_id });
    const told = () =>
      stack.agents.flatMap(({ lines }) =>
        lines.filter((line) => line.includes(end.correlation_id) && line.includes('"run is given up"')),
      );
    // The agent's line takes another way than its event, and may be read later.
    await vi.waitFor(() => expect(told()).toHaveLength(1), { timeout: 10_000 });
    await stack.demo.behave({ tokensPerSecond: 0 });
    expectWhole(await ask(probe, { message: 'How big is the boot?', session_id }));
    expect(terminals(probe)).toHaveLength(2);
    await probe.close();
  },
  TIME_LIMIT_MS,
);
