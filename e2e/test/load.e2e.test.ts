/** A thousand people at once, each with a question of their own. */
import { randomUUID } from 'node:crypto';
import { connect, type Probe, type Stack, startStack } from '@natter/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectWhole, readAnswer, send, terminals } from '../src/chat.ts';
import { reportFailures } from '../src/report-failures.ts';

const SOCKETS = 1_000;
/** Handshakes under way at once: the kernel's queue of a listening socket is bounded. */
const CONNECTING = 100;
/** The whole of it on two cores that do other work as well. */
const TIME_LIMIT_MS = 180_000;

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({
    gateways: 2,
    agents: 2,
    demo: { answer: 'echo', tokensPerSecond: 20, firstTokenMs: 0 },
    // What a person waits for is not measured here: a slow machine must not turn it into errors.
    env: {
      NATTER_AUTH_TIMEOUT_MS: '60000',
      NATTER_STORE_TIMEOUT_MS: '60000',
      NATTER_MODEL_FIRST_TOKEN_TIMEOUT_MS: '120000',
      NATTER_MODEL_TOKEN_TIMEOUT_MS: '120000',
    },
  });
});
afterAll(() => stack?.stop());
reportFailures(() => stack);

it(
  '[load/thousand-sockets] a thousand sockets ask at once and each gets its own right answer',
  async () => {
    const probes: Probe[] = [];
    try {
      for (let from = 0; from < SOCKETS; from += CONNECTING) probes.push(...(await openMany(from)));
      const nonces = probes.map(() => randomUUID());
      for (const [index, probe] of probes.entries())
        send(probe, { message: `What is ${nonces[index]}?`, session_id: 'the same name for all' });
      const answers = await Promise.all(probes.map((probe) => readAnswer(probe, TIME_LIMIT_MS)));
      for (const [index, answer] of answers.entries()) {
        expectWhole(answer);
        expect(answer.end.response).toBe(`Echo: What is ${nonces[index]}?`);
      }
      expect(probes.every((probe) => terminals(probe).length === 1 && probe.closedWith === null)).toBe(true);
    } finally {
      for (const probe of probes) probe.socket.terminate();
    }
  },
  TIME_LIMIT_MS,
);

/** Sockets of as many users, half of them on each gateway, all signed in. */
function openMany(from: number): Promise<Probe[]> {
  return Promise.all(
    Array.from({ length: CONNECTING }, async (_, index) => {
      const token = await stack.token({ sub: `user ${from + index}` });
      const probe = await connect(`${stack.url(index % 2)}/ws/chat?token=${token}`, { timeoutMs: 60_000 });
      await probe.nextOfType('auth_success', 60_000);
      return probe;
    }),
  );
}
