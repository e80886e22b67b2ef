import { expect, onTestFinished, test } from 'vitest';
import { connect } from '../src/probe.ts';
import { startStack } from '../src/stack.ts';

test('a stack of two gateways and two agents answers on each, also after restarts', async () => {
  const stack = await startStack({
    gateways: 2,
    agents: 2,
    uploads: 1,
    demo: { answer: 'echo', tokensPerSecond: 0 },
  });
  onTestFinished(() => stack.stop());
  const ask = async (index: number, message: string) => {
    const token = await stack.token({ sub: `user-${index}`, name: 'A user' });
    const probe = await connect(`${stack.url(index)}/ws/chat?token=${token}`);
    await probe.nextOfType('auth_success');
    probe.send({ type: 'message', message });
    const { response } = await probe.nextOfType('complete');
    await probe.close();
    return response;
  };
  expect(await ask(0, 'first question')).toContain('first question');
  expect(await ask(1, 'second question')).toContain('second question');

  const { internal } = stack.uploads[0]?.ports ?? {};
  expect((await fetch(`http://127.0.0.1:${internal}/readyz`)).status).toBe(200);

  const url = stack.url(0);
  await stack.gateways[0]?.kill();
  await stack.gateways[0]?.restart();
  await stack.agents[0]?.kill();
  expect(stack.url(0)).toBe(url);
  expect(await ask(0, 'third question')).toContain('third question');
});

test('a stack that cannot start says why and leaves nothing behind', async () => {
  const start = startStack({ env: { NATTER_MAX_FRAME_BYTES: 'many' } });
  await expect(start).rejects.toThrow(/gateway 0 could not start: NATTER_MAX_FRAME_BYTES/);
});
