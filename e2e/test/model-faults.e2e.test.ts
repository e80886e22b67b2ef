/** The model server misbehaves: one error with a correlation id, and nobody else notices. */
import { ERRORS } from '@natter/proto';
import { type Frame, type Probe, type Stack, startStack } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, ask, expectWhole, openChat, terminals } from '../src/chat.ts';
import { reportFailures } from '../src/report-failures.ts';

type Fault = Exclude<NonNullable<Parameters<Stack['demo']['behave']>[0]['fault']>, { kind: 'none' }>;

/** The fault hits only questions with this word. */
const matching = 'gearbox';
const FAULTY = 'How many gears does the gearbox have?';
const FINE = 'What is the engine power?';
const FAST = { tokensPerSecond: 0, firstTokenMs: 0 };

let stack: Stack;
let probe: Probe;
let bystander: Probe;
beforeAll(async () => {
  stack = await startStack({
    agents: 2,
    demo: FAST,
    env: { NATTER_MODEL_FIRST_TOKEN_TIMEOUT_MS: '2500', NATTER_MODEL_TOKEN_TIMEOUT_MS: '2500' },
  });
  probe = await openChat(stack.url(), await stack.token({ sub: 'alice' }));
  bystander = await openChat(stack.url(), await stack.token({ sub: 'bob' }));
});
afterAll(() => stack?.stop());
reportFailures(() => stack);

/** One error frame, whose id finds the cause in an agent's log and which tells nothing else. */
async function expectFailed(answer: Answer): Promise<Frame> {
  const { end } = answer;
  expect(end).toEqual({
    type: 'error',
    error: ERRORS.PROCESSING_ERROR.text,
    code: 'PROCESSING_ERROR',
    correlation_id: expect.stringMatching(/^[0-9a-f]{32}$/),
    session_id: expect.any(String),
  });
  const isCause = (line: string) => line.includes(end.correlation_id) && line.includes('"run failed"');
  const causes = () => stack.agents.flatMap((agent) => agent.lines.filter(isCause));
  await expect.poll(() => causes().length, { timeout: 10_000 }).toBe(1);
  expect(JSON.parse(causes()[0] ?? '{}').err).toMatchObject({ message: expect.stringMatching(/\S/) });
  return end;
}

/** Asks the faulty question, and meanwhile another person asks a good one. */
async function askBoth(): Promise<Answer> {
  const before = terminals(probe).length;
  const [answer, other] = await Promise.all([ask(probe, FAULTY), ask(bystander, FINE)]);
  expectWhole(other);
  // When a later question has its answer, a second end of the earlier one would be here too.
  expectWhole(await ask(probe, FINE));
  expect(terminals(probe)).toHaveLength(before + 2);
  return answer;
}

describe('a model that fails for one question ends its run with one PROCESSING_ERROR when it', () => {
  const FAULTS: [string, Fault][] = [
    ['[model/cut-off] breaks off in mid-stream', { kind: 'cut', afterTokens: 3, matching }],
    ['[model/cut-off] breaks off before the first token', { kind: 'cut', afterTokens: 0, matching }],
    ['[model/garbage] sends what is no event', { kind: 'garbage', afterTokens: 3, matching }],
    ['[model/slow] never answers', { kind: 'hang', matching }],
    ['[model/slow] thinks longer than it may', { kind: 'slow', firstTokenMs: 600_000, matching }],
    [
      '[model/slow] stalls between two tokens',
      { kind: 'slow', firstTokenMs: 0, tokensPerSecond: 0.01, matching },
    ],
    ['[model/status] answers 429 each time', { kind: 'status', status: 429, matching }],
    ['[model/status] answers 500 each time', { kind: 'status', status: 500, matching }],
    ['[model/status] does not accept our key', { kind: 'status', status: 401, matching }],
  ];

  it.for(FAULTS)('%s', async ([, fault]) => {
    await stack.demo.behave({ ...FAST, fault });
    const answer = await askBoth();
    await expectFailed(answer);
    // Tokens that came before the failure stay a beginning: of three, each 8 characters and a space.
    expect(answer.tokens.join('').length).toBeLessThanOrEqual(27);
  });
});

describe('a model that fails', () => {
  it('[model/retry] with 429 twice and then answers: the person gets the answer', async () => {
    await stack.demo.behave({
      ...FAST,
      fault: { kind: 'status', status: 429, retryAfter: 0, times: 2, on: 'answers', matching },
    });
    expectWhole(await askBoth());
  });

  it('[model/classifier-down] only for routing: the question is answered by the words in it', async () => {
    await stack.demo.behave({
      ...FAST,
      fault: { kind: 'status', status: 500, on: 'classifications', matching },
    });
    const answer = await askBoth();
    expectWhole(answer);
    expect(answer.end.metadata.agent).toBe('specs');
  });

  it('[model/failed-once] ends a run for good: its message id gets the same error, a new one an answer', async () => {
    await stack.demo.behave({ ...FAST, fault: { kind: 'cut', afterTokens: 2, times: 1, matching } });
    const question = { message: FAULTY, session_id: 'failed once', message_id: 'one' };
    const failed = await ask(probe, question);
    await expectFailed(failed);
    expect((await ask(probe, question)).end).toEqual(failed.end);
    expectWhole(await ask(probe, { ...question, message_id: 'two' }));
  });

  it('[model/over-http] answers a POST with 502, the code and the correlation id', async () => {
    await stack.demo.behave({ ...FAST, fault: { kind: 'cut', afterTokens: 2, matching } });
    const response = await fetch(`${stack.httpUrl()}/api/v1/chat`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await stack.token({ sub: 'carol' })}` },
      body: JSON.stringify({ message: FAULTY }),
    });
    expect(response.status).toBe(502);
    expect(await response.json()).toMatchObject({ code: 'PROCESSING_ERROR' });
  });

  it('[model/down] by not being there: one error; back again, the next question is answered', async () => {
    await stack.demo.kill();
    const before = terminals(probe).length;
    await expectFailed(await ask(probe, FAULTY));
    await stack.demo.restart();
    expectWhole(await ask(probe, FAULTY));
    expect(terminals(probe)).toHaveLength(before + 2);
  });
});
