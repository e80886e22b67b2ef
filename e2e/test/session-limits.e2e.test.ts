/** Who gets into a session of seeds/002 in production, and how fast it may ask. */
import { connect, type Stack, startStack } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ANSWER_MS } from '../src/chat.ts';
import { reportFailures } from '../src/report-failures.ts';
import { askSession, expectWholeSession, openSession } from '../src/session-chat.ts';

const LIST = 'List all tables';
const ALLOWED = 'https://your-app.vercel.app';
/** The seed allows 20 in 60 s; nobody wants to wait for so long. */
const LIMIT = 4;
const WINDOW_S = 6;

let stack: Stack;
let token: string;
beforeAll(async () => {
  stack = await startStack({
    gateways: 2,
    demo: { tokensPerSecond: 0, firstTokenMs: 0 },
    env: {
      NATTER_ENV: 'production',
      NATTER_ALLOWED_ORIGINS: `http://localhost:3000,${ALLOWED}`,
      NATTER_SESSION_RATE_LIMIT: String(LIMIT),
      WS_RATE_LIMIT_WINDOW: String(WINDOW_S),
    },
  });
  token = await stack.token({ sub: 'alice' });
});
afterAll(() => stack?.stop());
reportFailures(() => stack);

describe('in production', () => {
  it('[session/anonymous-production] a session without a token is closed with 4001', async () => {
    const probe = await openSession(stack.url(), 'anonymous');
    expect(await probe.closing()).toEqual({ code: 4001, reason: 'Invalid session' });
    expect(probe.frames).toEqual([
      expect.objectContaining({ type: 'error', content: 'Authentication required', code: 'AUTH_REQUIRED' }),
    ]);
  });

  it('a token in the header opens one as well as a token in the query', async () => {
    const headers = { authorization: `Bearer ${token}` };
    const probe = await connect(`${stack.url()}/ws/header`, { headers });
    expectWholeSession(await askSession(probe, LIST), LIST);
    await probe.close();
  });

  it('[session/origin] a page of a foreign Origin gets an open socket, closed with 4003', async () => {
    for (const origin of ['https://evil.example', 'http://localhost:3001', 'null']) {
      const probe = await openSession(stack.url(), 'origin', { token, origin });
      expect(await probe.closing()).toEqual({ code: 4003, reason: 'Origin not allowed' });
      expect(probe.frames).toEqual([]);
    }
  });

  it('[session/origin-allowed] pages of the configured Origins get in', async () => {
    for (const origin of ['http://localhost:3000', ALLOWED]) {
      const probe = await openSession(stack.url(), `origin ${origin}`, { token, origin });
      expectWholeSession(await askSession(probe, LIST), LIST);
      await probe.close();
    }
  });
});

describe('a session', () => {
  it('[session/rate] [session/rate-window] [rate/session] has a number of messages per window over all its connections and gateways', async () => {
    const probes = await Promise.all([0, 1].map((index) => openSession(stack.url(index), 'rate', { token })));
    const [one, two] = probes as [(typeof probes)[0], (typeof probes)[0]];
    const sent = Date.now();
    for (let message = 0; message < LIMIT + 2; message += 1)
      (message % 2 === 0 ? one : two).send({ content: `Question ${message}` });
    // Which of the six are refused is decided between two gateways; how many isn't.
    const refused = () => probes.flatMap(({ frames }) => frames.filter(({ type }) => type === 'error'));
    await expect.poll(() => refused().length, { timeout: ANSWER_MS }).toBe(2);
    for (const frame of refused()) {
      expect(frame).toMatchObject({ content: 'Rate limit exceeded', code: 'RATE_LIMIT' });
      expect(frame.retry_after).toBeGreaterThanOrEqual(1);
      expect(frame.retry_after).toBeLessThanOrEqual(WINDOW_S);
    }
    // Everything that was taken is shown on both; then the session may speak again.
    const echoes = () => one.frames.filter(({ type }) => type === 'user');
    await expect.poll(() => echoes().length, { timeout: ANSWER_MS }).toBe(LIMIT);
    const late = async () => {
      one.send({ content: 'Once more' });
      const answer = await one.next(
        ({ type, content }) => type === 'error' || (type === 'user' && content === 'Once more'),
        ANSWER_MS,
      );
      return answer.type === 'user';
    };
    await expect.poll(late, { timeout: 10 * WINDOW_S * 1_000, interval: 1_000 }).toBe(true);
    expect(Date.now() - sent).toBeGreaterThanOrEqual(WINDOW_S * 1_000);
    await Promise.all(probes.map((probe) => probe.close()));
  });

  it('has its own limit, whatever another one of the same user said', async () => {
    const probe = await openSession(stack.url(), 'another', { token });
    for (let message = 0; message < LIMIT; message += 1)
      expectWholeSession(await askSession(probe, `Question ${message}`), `Question ${message}`);
    await probe.close();
  });
});
