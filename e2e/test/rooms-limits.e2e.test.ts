/** rooms-v1 at its limits, which are set low so that they show, and what the log says of it. */
import { connect, type Probe, type Stack, startStack, UpgradeRefused } from '@natter/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readMetric } from '../src/metrics.ts';
import { reportFailures } from '../src/report-failures.ts';
import { ask, openRooms, POWER, ROOMS_PATH, refusal, say } from '../src/rooms-chat.ts';

const GLOBAL_CAP = 5;
const USER_CAP = 3;
const RATE = 20;
const WINDOW_S = 3;

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({
    demo: { tokensPerSecond: 0, firstTokenMs: 0 },
    env: {
      NATTER_ENV: 'production',
      NATTER_ALLOWED_ORIGINS: 'https://app.example.com',
      WEBSOCKET_MAX_CONNECTIONS: String(GLOBAL_CAP),
      NATTER_MAX_CONNECTIONS_PER_USER: String(USER_CAP),
      WS_RATE_LIMIT_REQUESTS: String(RATE),
      WS_RATE_LIMIT_WINDOW: String(WINDOW_S),
      DEBUG: 'true',
    },
  });
});
afterAll(() => stack?.stop());
reportFailures(() => stack);

const open: Probe[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((probe) => probe.close()));
  // The caps count what the gateway has seen close, not what we have.
  const [gateway] = stack.gateways;
  if (gateway === undefined) return;
  await expect.poll(() => readMetric(gateway, 'natter_gateway_connections'), { timeout: 20_000 }).toBe(0);
});

async function enter(sub: string): Promise<Probe> {
  const probe = await openRooms(stack.url(), await stack.token({ sub }));
  open.push(probe);
  return probe;
}

async function refusedUpgrade(origin?: string): Promise<UpgradeRefused> {
  const token = await stack.token({ sub: 'late' });
  const attempt = connect(
    `${stack.url()}${ROOMS_PATH}?token=${token}`,
    origin === undefined ? {} : { origin },
  );
  const error = await attempt.then(
    (probe) => {
      open.push(probe);
      return new Error('the upgrade was accepted');
    },
    (reason: unknown) => reason,
  );
  if (!(error instanceof UpgradeRefused)) throw error;
  return error;
}

describe('how many', () => {
  it('[rooms/env-max-connections] connections: one more than WEBSOCKET_MAX_CONNECTIONS is refused', async () => {
    for (let index = 0; index < GLOBAL_CAP; index += 1) await enter(`user-${index}`);
    const refused = await refusedUpgrade();
    expect([refused.status, JSON.parse(refused.body).code]).toEqual([503, 'TOO_MANY_CONNECTIONS']);
    await open.pop()?.close();
    await expect
      .poll(() =>
        enter('after').then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
  });

  it('[rooms/per-user-connections] connections of one user: one more is told so and closed', async () => {
    for (let index = 0; index < USER_CAP; index += 1) await enter('greedy');
    const probe = await connect(`${stack.url()}${ROOMS_PATH}?token=${await stack.token({ sub: 'greedy' })}`);
    expect(await probe.closing()).toEqual({ code: 1013, reason: 'Too many connections' });
    expect(probe.frames).toMatchObject([{ type: 'error', data: { code: 'TOO_MANY_CONNECTIONS' } }]);
    // Somebody else has a place.
    await enter('modest');
  });
});

describe('how fast', () => {
  it('[rooms/rate-limit] [rooms/rate-error] [rooms/frame-error] [rooms/env-rate-requests] frames: those above the limit get RATE_LIMIT with retry_after, and the connection goes on', async () => {
    const probe = await enter('quick');
    for (let frame = 0; frame < RATE + 5; frame += 1) probe.send({ type: 'ping' });
    const limited = await refusal(probe);
    expect(limited).toEqual({
      type: 'error',
      data: {
        error: 'Rate limit exceeded',
        code: 'RATE_LIMIT',
        retry_after: expect.any(Number),
        correlation_id: expect.any(String),
      },
    });
    expect(limited.data.retry_after).toBeGreaterThanOrEqual(1);
    expect(limited.data.retry_after).toBeLessThanOrEqual(WINDOW_S);
    await expect.poll(() => probe.frames.filter(({ type }) => type === 'error').length).toBe(5);
    await expect.poll(() => probe.frames.filter(({ type }) => type === 'pong').length).toBe(RATE);
  });

  it('[rooms/rate-window] [rooms/env-rate-window] frames: there is room again as the window slides on, and not before', async () => {
    const probe = await enter('patient');
    const beganAt = performance.now();
    for (let frame = 0; frame < RATE; frame += 1) probe.send({ type: 'ping' });
    for (let frame = 0; frame < RATE; frame += 1) await probe.nextOfType('pong');
    const isLimited = async () => {
      probe.send({ type: 'ping' });
      return (await probe.next(({ type }) => type === 'pong' || type === 'error')).type === 'error';
    };
    expect(await isLimited()).toBe(true);
    // Refused frames don't count, so asking again and again prolongs nothing.
    await expect.poll(isLimited, { timeout: (WINDOW_S + 10) * 1_000, interval: 100 }).toBe(false);
    expect(performance.now() - beganAt).toBeGreaterThan(WINDOW_S * 1_000 * 0.9);
  });

  it('[rooms/rate-limit] messages of a user: the limit holds over all their connections', async () => {
    const probes = [await enter('many-sockets'), await enter('many-sockets')];
    for (let index = 0; index <= RATE; index += 1)
      say(probes[index % 2] as Probe, 'Hello', { id: `m-${index}`, data: { conversation_id: 'rate' } });
    const refused = await Promise.race(probes.map((probe) => refusal(probe)));
    expect(refused.data).toMatchObject({ code: 'RATE_LIMIT', retry_after: expect.any(Number) });
  });
});

describe('from where', () => {
  it('[rooms/origins] a foreign Origin is refused, one on the list is not', async () => {
    for (const origin of ['https://evil.example', 'http://localhost:3000', 'null']) {
      const { status, body } = await refusedUpgrade(origin);
      expect([origin, status, JSON.parse(body).code]).toEqual([origin, 403, 'FORBIDDEN_ORIGIN']);
    }
    const token = await stack.token({ sub: 'alice' });
    const origin = 'https://app.example.com';
    open.push(await connect(`${stack.url()}${ROOMS_PATH}?token=${token}`, { origin }));
    await open[0]?.nextOfType('connect');
  });
});

describe('the log', () => {
  it('[rooms/structured-logs] [rooms/env-debug] says in lines of JSON what connections do, in detail with DEBUG, and tells no token', async () => {
    const [gateway] = stack.gateways;
    const token = await stack.token({ sub: 'logged' });
    const probe = await openRooms(stack.url(), token);
    const connection = probe.frames[0].data.connection_id;
    probe.send('no JSON');
    const { data } = await refusal(probe);
    await ask(probe, POWER.question, { id: 'm-1' });
    await probe.close();
    await gateway?.line(new RegExp(`"${connection}".*ended`));
    const lines = gateway?.lines.map((line) => JSON.parse(line)) ?? [];
    const ofConnection = lines.filter((line) => line.connection === connection);
    expect(ofConnection).toMatchObject([
      {
        level: 'debug',
        service: 'gateway',
        dialect: 'rooms-v1',
        sub: 'logged',
        msg: 'a connection is signed in',
      },
      {
        level: 'debug',
        service: 'gateway',
        dialect: 'rooms-v1',
        sub: 'logged',
        msg: 'a connection has ended',
      },
    ]);
    expect(lines).toContainEqual(
      expect.objectContaining({ code: 'INVALID_JSON', correlationId: data.correlation_id }),
    );
    for (const { lines: written } of [stack.auth, ...stack.agents, ...stack.gateways])
      expect(written.join('\n')).not.toContain(token.split('.')[2]);
  });
});
