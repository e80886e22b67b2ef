/** Cursors outlive a broker that is killed and started again, and gateways that lost it for longer. */
import { type Stack, startStack } from '@natter/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { revive } from '../src/alive.ts';
import { Crowd } from '../src/crowd.ts';
import { reportFailures } from '../src/report-failures.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({
    gateways: 2,
    agents: 2,
    demo: { answer: 'echo', tokensPerSecond: 12, firstTokenMs: 0 },
    env: {
      WS_RATE_LIMIT_REQUESTS: '100000',
      NATTER_SESSION_RATE_LIMIT: '100000',
      // However slow the broker's return is here, a question is kept rather than refused.
      NATTER_STORE_TIMEOUT_MS: '60000',
    },
  });
});
afterAll(() => stack?.stop());
afterEach(() => revive(stack.gateways));
reportFailures(() => stack);

/** Whether a gateway has the broker, and all that it needs of it. */
function ready(gateway: number): Promise<void> {
  return expect
    .poll(async () => (await fetch(`${stack.httpUrl(gateway)}/readyz`)).status, {
      timeout: 60_000,
      interval: 50,
    })
    .toBe(200);
}

async function askAndSeeText(crowd: Crowd): Promise<void> {
  crowd.ask();
  await Promise.all(crowd.everybody.map((client) => client.until(() => client.underway.length > 15)));
}

describe('nats-server killed with -9 and started again, in the middle of an answer', () => {
  it('[resume/broker-restarted] who stays connected gets the rest, and what comes later', async () => {
    const crowd = await Crowd.gather(stack, 'stays');
    await askAndSeeText(crowd);
    await stack.nats.kill();
    await stack.nats.restart();
    await crowd.expectAnswers();
    crowd.ask();
    await crowd.expectAnswers();
    await crowd.close();
  });

  it('[resume/broker-restarted] who comes back to another gateway afterwards goes on at the cursor', async () => {
    const crowd = await Crowd.gather(stack, 'comes back');
    await askAndSeeText(crowd);
    await stack.nats.kill();
    await Promise.all(crowd.everybody.map((client) => client.cut()));
    await stack.nats.restart();
    await ready(1);
    await Promise.all(crowd.everybody.map((client) => client.open(stack.url(1))));
    await crowd.expectAnswers();
    await crowd.close();
  });

  it('[resume/gap-repaired] a gateway that comes back later than the others first repairs what it missed', async () => {
    const crowd = await Crowd.gather(stack, 'gap');
    await askAndSeeText(crowd);
    const [gateway] = stack.gateways;
    gateway?.pause();
    await stack.nats.kill();
    await stack.nats.restart();
    await ready(1);
    // Said and answered while the paused gateway has no connection to the broker.
    crowd.speaker.ask('Who hears this?', 'gap');
    const { speaker } = crowd;
    await speaker.until(() => speaker.ended.length === 1);
    gateway?.resume();
    await crowd.expectAnswers();
    for (const member of crowd.members)
      expect(member.heard.filter(({ text }) => text === 'Who hears this?')).toHaveLength(1);
    await crowd.close();
  });
});
