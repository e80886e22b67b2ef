/** The broker is killed with -9 and started again: what was accepted is answered, once. */
import { type Frame, type Probe, type Stack, startStack } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { census } from '../src/alive.ts';
import { ANSWER_MS, answerIn, ask, expectWhole, openChat, readAnswer, send, terminals } from '../src/chat.ts';
import { reportFailures } from '../src/report-failures.ts';

const QUESTION = 'What is the engine power?';

let stack: Stack;
let token: string;
beforeAll(async () => {
  stack = await startStack({
    gateways: 2,
    agents: 2,
    demo: { tokensPerSecond: 10, firstTokenMs: 0 },
    // However slow the broker's return is here, a question is kept rather than refused.
    env: { NATTER_STORE_TIMEOUT_MS: '60000' },
  });
  token = await stack.token({ sub: 'alice' });
});
afterAll(() => stack?.stop());
reportFailures(() => stack);

/** What every service says about itself on its internal port, and each gateway on its public one. */
async function readiness(): Promise<number[]> {
  const ports = [stack.auth, ...stack.agents, ...stack.gateways].flatMap(({ ports: { internal, http } }) =>
    http === undefined ? [internal] : [internal, http],
  );
  return Promise.all(ports.map(async (port) => (await fetch(`http://127.0.0.1:${port}/readyz`)).status));
}

async function expectReadiness(status: number): Promise<void> {
  await expect
    .poll(async () => [...new Set(await readiness())], { timeout: 60_000, interval: 50 })
    .toEqual([status]);
}

describe('nats-server killed with -9 and started again', () => {
  it('[crash/broker-mid-run] in mid-run: the run goes on, with one end and one text', async () => {
    const probe = await openChat(stack.url(), token);
    send(probe, { message: QUESTION });
    for (let count = 0; count < 5; count += 1) await probe.nextOfType('token', ANSWER_MS);
    await stack.nats.kill();
    await stack.nats.restart();
    await probe.nextOfType('complete', ANSWER_MS);
    expectWhole(answerIn(probe));
    expectWhole(await ask(probe, 'How big is the boot?'));
    expect(terminals(probe)).toHaveLength(2);
    await probe.close();
  });

  it('[crash/broker-comes-back] services say that they are not ready, live on, and come back by themselves', async () => {
    const processes = await census(stack);
    await stack.nats.kill();
    await expectReadiness(503);
    const health = await fetch(`${stack.httpUrl()}/health`);
    expect(health.status).toBe(503);
    expect(await health.json()).toMatchObject({ status: 'unhealthy', services: { broker: 'unreachable' } });
    await stack.nats.restart();
    await expectReadiness(200);
    expect(await census(stack)).toEqual({ ...processes, broker: String(stack.nats.pid) });
  });

  it('[crash/broker-between-turns] between two turns: the socket and the conversation outlive it', async () => {
    await stack.demo.behave({ tokensPerSecond: 0 });
    const probe = await openChat(stack.url(), token);
    expectWhole(await ask(probe, QUESTION));
    await stack.nats.kill();
    // Asked of a broker that is away: the gateway goes on trying to store it.
    send(probe, { message: 'What was my first question?' });
    await stack.nats.restart();
    const { end } = await readAnswer(probe);
    expect(end.response).toContain(`Your first question was: "${QUESTION}"`);
    await probe.close();
  });
});

describe('fifty questions under way when the broker is killed', () => {
  const SOCKETS = 10;
  const EACH = 5;

  it('[crash/broker-no-loss] each one accepted gets exactly one right answer', async () => {
    await stack.demo.behave({ answer: 'echo', tokensPerSecond: 10 });
    const people = await Promise.all(
      Array.from({ length: SOCKETS }, async (_, index) => {
        const mine = await stack.token({ sub: `person ${index}` });
        return { index, probe: await openChat(stack.url(index % 2), mine) };
      }),
    );
    const text = (person: number, turn: number) =>
      `Does person ${person} hear the answer to question ${turn}?`;
    const session = (person: number, turn: number) => `conversation ${person} ${turn}`;
    const put = (person: number, turn: number, probe: Probe) =>
      send(probe, { message: text(person, turn), session_id: session(person, turn), message_id: 'only one' });
    // Half of them before, the others while the broker is away.
    for (const { index, probe } of people) for (let turn = 0; turn < 3; turn += 1) put(index, turn, probe);
    await Promise.all(people.map(({ probe }) => probe.nextOfType('token', ANSWER_MS)));
    const killed = stack.nats.kill();
    for (const { index, probe } of people) for (let turn = 3; turn < EACH; turn += 1) put(index, turn, probe);
    await killed;
    await stack.nats.restart();
    const isEnd = ({ type }: Frame) => type === 'complete' || type === 'error';
    for (const { probe } of people)
      for (let turn = 0; turn < EACH; turn += 1)
        expect(await probe.next(isEnd, 120_000)).toMatchObject({ type: 'complete' });
    // One more answer on each socket: a second end of an earlier run would have come before it.
    await Promise.all(
      people.map(async ({ probe }) => {
        send(probe, { message: 'Is that all?', session_id: 'the last' });
        await probe.next((frame) => frame.session_id === 'the last', 120_000);
      }),
    );
    for (const { index, probe } of people) {
      const ends = terminals(probe);
      expect(ends).toHaveLength(EACH + 1);
      const answers = new Map(ends.map((end) => [end.session_id, end.response]));
      for (let turn = 0; turn < EACH; turn += 1)
        expect(answers.get(session(index, turn))).toBe(`Echo: ${text(index, turn)}`);
      await probe.close();
    }
  });
});
