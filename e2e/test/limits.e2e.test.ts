/** Who may connect, how many, how fast and how long; the limits are set low so that they show. */
import { connect, type Probe, type Stack, startStack, UpgradeRefused } from '@natter/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { ask, expectWhole, openChat, send } from '../src/chat.ts';
import { readMetric } from '../src/metrics.ts';
import { reportFailures } from '../src/report-failures.ts';

const GLOBAL_CAP = 12;
const ADDRESS_CAP = 6;
const USER_CAP = 3;
const TURNS_CAP = 4;

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({
    demo: { tokensPerSecond: 0, firstTokenMs: 0 },
    env: {
      NATTER_ENV: 'production',
      NATTER_ALLOWED_ORIGINS: 'https://app.example.com',
      NATTER_TRUSTED_PROXIES: '127.0.0.1',
      NATTER_AUTH_DEADLINE_MS: '1500',
      NATTER_JWT_CLOCK_TOLERANCE_S: '0',
      WEBSOCKET_MAX_CONNECTIONS: String(GLOBAL_CAP),
      NATTER_MAX_CONNECTIONS_PER_ADDRESS: String(ADDRESS_CAP),
      NATTER_MAX_CONNECTIONS_PER_USER: String(USER_CAP),
      NATTER_MAX_TURNS_PER_CONNECTION: String(TURNS_CAP),
      WS_RATE_LIMIT_REQUESTS: '20',
      WS_RATE_LIMIT_WINDOW: '3',
    },
  });
});
afterAll(() => stack?.stop());
reportFailures(() => stack);

const open: Probe[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((probe) => probe.close()));
  // The caps count what the gateway has seen close, not what we have.
  const gateway = stack.gateways[0];
  if (gateway === undefined) return;
  await expect.poll(() => readMetric(gateway, 'natter_gateway_connections'), { timeout: 20_000 }).toBe(0);
});

/** A signed-in socket of this user, as if it came from `address`. */
async function connectAs(sub: string, address: string): Promise<Probe> {
  const token = await stack.token({ sub });
  const probe = await connect(`${stack.url()}/ws/chat?token=${token}`, {
    headers: { 'x-forwarded-for': address },
  });
  open.push(probe);
  return probe;
}

async function refusal(attempt: Promise<unknown>): Promise<UpgradeRefused> {
  const error = await attempt.then(
    () => new Error('the upgrade was accepted'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof UpgradeRefused)) throw error;
  return error;
}

describe('how fast', () => {
  it('[limits/rate] more frames than allowed get RATE_LIMIT with retry_after, and the socket stays usable', async () => {
    const probe = await connectAs('quick', '192.0.2.1');
    await probe.nextOfType('auth_success');
    for (let frame = 0; frame < 40; frame += 1) probe.send('no JSON');
    const limited = await probe.next(({ code }) => code === 'RATE_LIMIT');
    expect(limited).toMatchObject({ type: 'error', error: 'Rate limit exceeded' });
    expect(limited.retry_after).toBeGreaterThanOrEqual(1);
    expect(limited.retry_after).toBeLessThanOrEqual(3);
    // One answer for each of the 40, so that what comes next answers what is sent next.
    await expect.poll(() => probe.frames.filter(({ type }) => type === 'error').length).toBe(40);
    const seen = probe.frames.length;
    const accepted = await vi.waitFor(
      async () => {
        send(probe, { message: 'What is the engine power?', message_id: 'the same each time' });
        const frame = await probe.next(
          (candidate) =>
            probe.frames.indexOf(candidate) >= seen && ['complete', 'error'].includes(candidate.type),
        );
        if (frame.type === 'error') throw new Error('still limited');
        return frame;
      },
      { timeout: 30_000, interval: 500 },
    );
    expect(accepted.response).toContain('132 kW');
  });

  it('[limits/rate-abuse] who goes on after 200 refusals is closed with 1008', async () => {
    const probe = await connectAs('flood', '192.0.2.1');
    await probe.nextOfType('auth_success');
    for (let frame = 0; frame < 2_000; frame += 1) probe.send('no JSON');
    expect(await probe.closing(30_000)).toEqual({ code: 1008, reason: 'Too many refused frames' });
  });
});

describe('how many at once', () => {
  it('[limits/turns] one unanswered question too many gets TOO_MANY_TURNS, the others their answers', async () => {
    const probe = await connectAs('eager', '192.0.2.1');
    await probe.nextOfType('auth_success');
    for (let turn = 0; turn <= TURNS_CAP; turn += 1)
      send(probe, { message: 'What is the engine power?', session_id: `conversation ${turn}` });
    expect(await probe.next(({ type }) => type === 'error')).toMatchObject({ code: 'TOO_MANY_TURNS' });
    const completed = () => probe.frames.filter(({ type }) => type === 'complete').length;
    await expect.poll(completed, { timeout: 60_000 }).toBe(TURNS_CAP);
    send(probe, { message: 'How big is the boot?' });
    await expect.poll(completed, { timeout: 60_000 }).toBe(TURNS_CAP + 1);
  });
});

describe('how long', () => {
  it('[limits/auth-deadline] who shows no token in time is closed with 4001', async () => {
    const probe = await connect(`${stack.url()}/ws/chat`);
    expect(await probe.closing(30_000)).toEqual({ code: 4001, reason: 'Authentication required' });
  });

  it('[limits/token-expiry] an expired token closes a live socket with 4001; a new one before that keeps it', async () => {
    const short = { sub: 'short', ttlS: 4 };
    const doomed = await openChat(stack.url(), await stack.token(short));
    const renewed = await openChat(stack.url(), await stack.token(short));
    open.push(doomed, renewed);
    renewed.send({ type: 'auth', token: await stack.token({ sub: 'short' }) });
    await renewed.nextOfType('auth_success');
    expect(await doomed.closing(30_000)).toEqual({ code: 4001, reason: 'Token expired' });
    expectWhole(await ask(renewed, 'What is the engine power?'));
  });
});

describe('from where', () => {
  it('[limits/origin] an Origin on no allowlist is refused with 403 before the upgrade', async () => {
    const url = `${stack.url()}/ws/chat?token=${await stack.token({ sub: 'browser' })}`;
    for (const origin of [
      'https://evil.example',
      'http://localhost:3000',
      'null',
      'https://app.example.com.evil.example',
    ]) {
      const refused = await refusal(connect(url, { origin }));
      expect(refused.status).toBe(403);
      expect(JSON.parse(refused.body)).toMatchObject({ code: 'FORBIDDEN_ORIGIN' });
    }
    const listed = await connect(url, { origin: 'https://app.example.com' });
    open.push(listed);
    await listed.nextOfType('auth_success');
  });
});

describe('how many', () => {
  it('[limits/per-user] one more socket of a user is told so and closed with 1013', async () => {
    for (let count = 0; count < USER_CAP; count += 1)
      await (await connectAs('many', `192.0.2.${count}`)).nextOfType('auth_success');
    const probe = await connectAs('many', '192.0.2.9');
    await expect(probe.next()).resolves.toMatchObject({ type: 'error', code: 'TOO_MANY_CONNECTIONS' });
    expect(await probe.closing()).toEqual({ code: 1013, reason: 'Too many connections' });
    await (await connectAs('another', '192.0.2.9')).nextOfType('auth_success');
  });

  it('[limits/per-address] one more socket of an address is refused with 503, other addresses are not', async () => {
    for (let count = 0; count < ADDRESS_CAP; count += 1) await connectAs(`user ${count}`, '198.51.100.7');
    const refused = await refusal(connectAs('one more', '198.51.100.7'));
    expect(refused.status).toBe(503);
    expect(JSON.parse(refused.body)).toMatchObject({ code: 'TOO_MANY_CONNECTIONS' });
    await (await connectAs('elsewhere', '198.51.100.8')).nextOfType('auth_success');
  });

  it('[limits/global] one more socket than the gateway holds is refused with 503 until one leaves', async () => {
    for (let count = 0; count < GLOBAL_CAP; count += 1)
      await connectAs(`user ${count}`, `203.0.113.${count}`);
    const refused = await refusal(connectAs('one more', '203.0.113.200'));
    expect(refused.status).toBe(503);
    await open[0]?.close();
    const probe = await vi.waitFor(() => connectAs('one more', '203.0.113.200'), {
      timeout: 20_000,
      interval: 50,
    });
    await probe.nextOfType('auth_success');
  });
});
