/** A broker in a Docker container: NATS_URL, no keys, a network that stalls, a container that dies. */
import { type NatsContainer, needs, type Stack, startNatsContainer, startStack } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ANSWER_MS, answerIn, ask, expectWhole, openChat, send, terminals } from '../src/chat.ts';
import { reportFailures } from '../src/report-failures.ts';

const missing = needs('docker');
const QUESTION = 'What is the engine power?';

let broker: NatsContainer;
let stack: Stack;
beforeAll(async () => {
  if (missing !== null) return;
  broker = await startNatsContainer();
  stack = await startStack({
    natsUrl: broker.url,
    demo: { tokensPerSecond: 10, firstTokenMs: 0 },
    env: { NATTER_STORE_TIMEOUT_MS: '60000' },
  });
});
afterAll(async () => {
  await stack?.stop();
  await broker?.stop();
});
reportFailures(() => stack);

describe('a broker in a container', () => {
  it('[broker/container] that stalls in mid-answer: the answer goes on, whole and once', async ({ skip }) => {
    skip(missing !== null, missing ?? '');
    const probe = await openChat(stack.url(), await stack.token({ sub: 'alice' }));
    send(probe, { message: QUESTION });
    await probe.nextOfType('token', ANSWER_MS);
    broker.pause();
    // Longer than a ping of the services, which then take the connection for dead.
    await expect
      .poll(async () => (await fetch(`${stack.httpUrl()}/readyz`)).status, { timeout: 60_000 })
      .toBe(503);
    broker.resume();
    await probe.nextOfType('complete', ANSWER_MS);
    expectWhole(answerIn(probe));
    expect(terminals(probe)).toHaveLength(1);
    await probe.close();
  });

  it('[broker/container] that is killed and started again: what was asked meanwhile is answered', async ({
    skip,
  }) => {
    skip(missing !== null, missing ?? '');
    const probe = await openChat(stack.url(), await stack.token({ sub: 'bob' }));
    expectWhole(await ask(probe, QUESTION));
    await broker.killAndRestart();
    expectWhole(await ask(probe, 'How big is the boot?'));
    expect(terminals(probe)).toHaveLength(2);
    await probe.close();
  });
});
