/** Questions of one conversation are answered in the order asked, each after the one before. */
import { type Stack, startStack } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, expectWhole, openChat, readAnswer, send, terminals } from '../src/chat.ts';
import { type RecordingProxy, startRecordingProxy } from '../src/recording-proxy.ts';
import { reportFailures } from '../src/report-failures.ts';

const FIRST = 'What is the engine power?';
const SECOND = 'How big is the boot?';

let stack: Stack;
let proxy: RecordingProxy;
let token: string;
beforeAll(async () => {
  proxy = await startRecordingProxy();
  stack = await startStack({
    gateways: 2,
    agents: 2,
    demo: { tokensPerSecond: 60, firstTokenMs: 0 },
    env: { OPENAI_BASE_URL: proxy.url },
  });
  proxy.target = stack.demo.ports.http ?? 0;
  token = await stack.token({ sub: 'alice' });
});
afterAll(async () => {
  await stack?.stop();
  await proxy?.close();
});
reportFailures(() => stack);

/** The model was shown the first question and its whole answer when it was asked the second. */
function expectHistory(first: Answer): void {
  const messages = proxy.asked.findLast((asked) => asked.at(-1)?.content === SECOND) ?? [];
  expect(messages.slice(-3)).toMatchObject([
    { role: 'user', content: FIRST },
    { role: 'assistant', content: first.end.response },
    { role: 'user', content: SECOND },
  ]);
}

describe('two questions of one conversation at once', () => {
  it('[order/one-socket] on one socket: answered in order, the second with the first answer in mind', async () => {
    const probe = await openChat(stack.url(), token);
    send(probe, { message: FIRST, session_id: 'one socket' });
    send(probe, { message: SECOND, session_id: 'one socket' });
    const first = await readAnswer(probe);
    const second = await readAnswer(probe);
    expectWhole(first);
    expectWhole(second);
    expect(first.end.response).toContain('132 kW');
    expect(second.end.response).toContain('boot');
    expectHistory(first);
    await probe.close();
  });

  it('[order/two-gateways] on sockets of two gateways: each gets its own answer, in the order stored', async () => {
    const [here, there] = await Promise.all([openChat(stack.url(0), token), openChat(stack.url(1), token)]);
    send(here, { message: FIRST, session_id: 'two gateways' });
    // Progress says that the broker has the first one, so the order is known.
    await here.nextOfType('progress', 60_000);
    send(there, { message: SECOND, session_id: 'two gateways' });
    let hereEnded = false;
    const firstToken = there.nextOfType('progress', 60_000).then(() => {
      hereEnded = terminals(here).length === 1;
    });
    const end = await here.nextOfType('complete', 60_000);
    await firstToken;
    const second = await there.nextOfType('complete', 60_000);
    expect(hereEnded).toBe(true);
    expect(end.response).toContain('132 kW');
    expect(second.response).toContain('boot');
    expectHistory({ steps: [], tokens: [], partials: [], end });
    await Promise.all([here.close(), there.close()]);
  });

  it('[order/others-go-on] a slow conversation keeps nobody else waiting', async () => {
    await stack.demo.behave({ tokensPerSecond: 2 });
    const slow = await openChat(stack.url(), token);
    send(slow, { message: FIRST, session_id: 'slow' });
    await slow.nextOfType('token', 60_000);
    await stack.demo.behave({ tokensPerSecond: 0 });
    const quick = await openChat(stack.url(), token);
    send(quick, { message: SECOND, session_id: 'quick' });
    expectWhole(await readAnswer(quick));
    expect(terminals(slow)).toHaveLength(0);
    await Promise.all([slow.close(), quick.close()]);
  });
});
