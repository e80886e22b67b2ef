import type { ErrorCode, Principal, VerifyReply } from '@natter/proto';
import { createLogger, Metrics } from '@natter/runtime';
import { frozenClock } from '@natter/testkit';
import { describe, expect, it, vi } from 'vitest';
import { LogHub } from '../../../src/bus/logs/log-hub.ts';
import { logsV1 } from '../../../src/dialects/logs-v1/codec.ts';
import { registerGatewayMetrics } from '../../../src/metrics.ts';
import { logSocketRoute } from '../../../src/session/logs/log-socket-route.ts';
import { LogSockets } from '../../../src/session/logs/log-sockets.ts';
import { LogVisits } from '../../../src/session/logs/log-visits.ts';
import type { Socket } from '../../../src/session/socket.ts';
import { FakeLogs } from '../../bus/logs/fake-logs.ts';
import { FakeOutlet, FakeTopics } from '../../bus/logs/fake-outlets.ts';

const settled = async () => {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

const PRINCIPAL: Principal = {
  ...{ sub: 'natter:key:a', email: null, name: 'ci', roles: [], scopes: ['logs:read'] },
  expiresAt: 4_000_000_000,
};

function rig({
  principal = PRINCIPAL,
  refusal = null as 'invalid' | 'expired' | 'unavailable' | null,
  maxLogReaders = 3,
} = {}) {
  const logs = new FakeLogs();
  const topics = new FakeTopics();
  const clock = frozenClock();
  const log = createLogger('gateway', 'silent');
  const limits = { softBufferBytes: 1_000, hardBufferBytes: 10_000, maxLogReaders };
  const hub = new LogHub({ bus: logs.bus, topics, wire: logsV1, log, now: clock.now, ...limits });
  const keys = { changes: 0, add: vi.fn(), delete: vi.fn() };
  const positions = {
    read: vi.fn(async (): Promise<{ seq: number; life: string } | null> => null),
    takes: vi.fn(async () => true),
    write: vi.fn(() => true),
  };
  const users = { add: vi.fn(() => true), remove: vi.fn() };
  const verdict: VerifyReply = refusal === null ? { ok: true, principal } : { ok: false, reason: refusal };
  const auth = { verify: vi.fn(async () => verdict) };
  const sockets = new LogSockets();
  const route = logSocketRoute({
    visits: new LogVisits({ auth, hub, keys, positions, users, log }),
    sockets,
    wire: logsV1,
    metrics: registerGatewayMetrics(new Metrics('gateway'), {
      ...{ connections: () => 0, runs: () => 0, setAside: () => 0, logReaders: () => 0, logFeeds: () => 0 },
    }),
    log,
    now: clock.now,
    rateLimitRequests: 5,
    rateLimitWindowSeconds: 60,
  });
  const come = async (query: Record<string, string> = {}, token: string | null = 'key') => {
    const outlet = new FakeOutlet(topics, 'frames');
    let closed: [number, string] | null = null;
    const socket: Socket = {
      send: (frame) => {
        outlet.take(frame);
        return true;
      },
      buffered: () => outlet.waiting,
      join: (topic) => outlet.join(topic),
      together: (act) => act(),
      leave: (topic) => outlet.leave(topic),
      close: (code, reason) => {
        closed = [code, reason];
      },
    };
    const session = route.accept({
      param: () => '',
      query: (name) => query[name],
      queries: () => [],
      header: (name) => (name === 'authorization' && token !== null ? `Bearer ${token}` : ''),
    })(socket);
    session.open();
    await settled();
    const send = (frame: unknown) => session.receive(Buffer.from(JSON.stringify(frame)), false);
    return { session, outlet, send, closed: () => closed };
  };
  return { logs, hub, auth, verdict, keys, positions, users, sockets, clock, come };
}

describe('LogSession', () => {
  it('sends lines as in the seed, each in a frame', async () => {
    const { logs, come, sockets } = rig();
    const { outlet } = await come();
    logs.write('a', 'info', 'Process started successfully');
    await settled();
    expect([outlet.pieces, sockets.size]).toEqual([['{"log":"Process started successfully"}'], 1]);
  });

  it('sends what was said between its upgrade and the verdict on its key', async () => {
    const { logs, come, auth, verdict } = rig();
    const { promise, resolve } = Promise.withResolvers<VerifyReply>();
    auth.verify.mockReturnValueOnce(promise);
    const { outlet } = await come();
    logs.write('a', 'info', 'early');
    await settled();
    expect(outlet.got).toEqual([]);
    resolve(verdict);
    await settled();
    expect(outlet.got).toEqual([{ log: 'early' }]);
  });

  it.each([
    ['no key', {}, null, {}, 'AUTH_REQUIRED', [1008, 'Unauthorized']],
    ['a bad key', {}, 'key', { refusal: 'invalid' }, 'INVALID_TOKEN', [1008, 'Unauthorized']],
    ['an expired key', {}, 'key', { refusal: 'expired' }, 'TOKEN_EXPIRED', [1008, 'Unauthorized']],
    [
      'no scope',
      {},
      'key',
      { principal: { ...PRINCIPAL, scopes: ['logs:write'] } },
      'SCOPE_REQUIRED',
      [1008, 'Unauthorized'],
    ],
    ['auth away', {}, 'key', { refusal: 'unavailable' }, 'UNAVAILABLE', [1013, 'Service unavailable']],
    ['a bad query', { level: 'x' }, 'key', {}, 'INVALID_FIELD', [1008, 'Invalid parameter']],
  ] as [string, Record<string, string>, string | null, Parameters<typeof rig>[0], ErrorCode, unknown][])(
    'says one error and closes: %s',
    async (_what, query, token, given, code, close) => {
      const { come, sockets, hub, users } = rig(given);
      const { outlet, closed } = await come(query, token);
      expect(outlet.got).toMatchObject([{ code }]);
      expect(closed()).toEqual(close);
      expect([sockets.size, hub.readers, users.add.mock.calls.length]).toEqual([0, 0, 0]);
    },
  );

  it('is told which parameter can not be used', async () => {
    const { outlet } = await rig().come({ tail: '5000' });
    expect(outlet.got).toEqual([{ error: 'Invalid field', code: 'INVALID_FIELD', detail: 'tail' }]);
  });

  it('is told when there are too many readers, of its user or in all', async () => {
    const { come, users, hub } = rig();
    users.add.mockReturnValueOnce(false);
    expect((await come()).closed()).toEqual([1013, 'Too many connections']);
    for (let reader = 0; reader < 3; reader += 1) expect((await come()).closed()).toBeNull();
    const last = await come();
    expect(last.outlet.got).toMatchObject([{ code: 'TOO_MANY_CONNECTIONS' }]);
    expect([hub.readers, users.add.mock.calls.length - users.remove.mock.calls.length]).toEqual([3, 4]);
  });

  it('is told when its user reads by as many filters as a user may, and others are not', async () => {
    const { come, hub, users } = rig({ maxLogReaders: 1_000 });
    const own = [];
    for (let index = 0; index < 32; index += 1) own.push(await come({ service: `s${index}` }));
    const another = await come({ service: 's32' });
    expect(another.outlet.got).toMatchObject([{ code: 'TOO_MANY_CONNECTIONS' }]);
    expect(another.closed()).toEqual([1013, 'Too many connections']);
    expect([hub.feeds, hub.readers, users.remove.mock.calls.length]).toEqual([32, 32, 1]);
    // One more of a filter it has costs nothing; and a filter is free when its last reader has gone.
    own.push(await come({ service: 's0' }));
    expect(own.at(-1)?.closed()).toBeNull();
    own[0]?.session.ended();
    expect((await come({ service: 's32' })).closed()).not.toBeNull();
    own.at(-1)?.session.ended();
    expect((await come({ service: 's32' })).closed()).toBeNull();
  });

  it('lets go of everything when it ends, also while its key is being judged', async () => {
    const { come, sockets, hub, users, keys, auth, verdict } = rig();
    const { session } = await come();
    session.ended();
    session.ended();
    expect([sockets.size, hub.readers, hub.feeds, keys.delete.mock.calls.length]).toEqual([0, 0, 0, 1]);
    expect(users.remove.mock.calls).toEqual([['natter:key:a']]);
    const { promise, resolve } = Promise.withResolvers<VerifyReply>();
    auth.verify.mockReturnValueOnce(promise);
    const early = await come();
    early.session.ended();
    resolve(verdict);
    await settled();
    expect([sockets.size, hub.readers, users.add.mock.calls.length]).toEqual([0, 0, 1]);
  });

  it('keeps what a named reader acknowledges, and only what it was sent', async () => {
    const { logs, come, positions } = rig();
    logs.write('a', 'info');
    const { send, outlet } = await come({ name: 'ci' });
    const { seq } = logs.write('a', 'info');
    await settled();
    send({ ack: seq });
    send({ ack: seq + 1 });
    expect(positions.write.mock.calls).toEqual([['natter:key:a', 'ci', { seq, life: 'first' }]]);
    expect(outlet.got).toMatchObject([{ seq }, { code: 'INVALID_FIELD' }]);
  });

  it('keeps a position in the LOGS it was sent, when that was made anew meanwhile', async () => {
    const { logs, come, positions } = rig();
    for (let line = 0; line < 5; line += 1) logs.write('a', 'info');
    const { send, outlet } = await come({ name: 'ci' });
    logs.disconnect();
    logs.makeAnew();
    logs.reconnect();
    const { seq } = logs.write('a', 'info');
    await settled();
    expect(outlet.got).toMatchObject([{ gap: null }, { seq: 1 }]);
    send({ ack: seq });
    expect(positions.write.mock.calls).toEqual([['natter:key:a', 'ci', { seq, life: 'first again' }]]);
  });

  it('takes no acknowledgement of a reader without a name', async () => {
    const { logs, come, positions } = rig();
    const { send, outlet } = await come({ seq: '1' });
    const { seq } = logs.write('a', 'info');
    await settled();
    send({ ack: seq });
    expect(positions.write).not.toHaveBeenCalled();
    expect(outlet.got.at(-1)).toMatchObject({ code: 'INVALID_FIELD' });
  });

  it('goes on behind its position, and behind its cursor if it has one', async () => {
    const { logs, come, positions } = rig();
    for (let line = 0; line < 5; line += 1) logs.write('a', 'info');
    positions.read.mockResolvedValue({ seq: 3, life: 'first' });
    expect((await come({ name: 'ci' })).outlet.seqs).toEqual([4, 5]);
    expect((await come({ name: 'ci', cursor: '1' })).outlet.seqs).toEqual([2, 3, 4, 5]);
  });

  it('is refused a new name above those its user may have, and goes on under one it has', async () => {
    const { come, positions, hub } = rig();
    positions.takes.mockResolvedValue(false);
    for (const cursor of ['', '0']) {
      const { outlet, closed } = await come({ name: 'ci', cursor });
      expect(outlet.got).toMatchObject([{ code: 'INVALID_FIELD', detail: 'name' }]);
      expect(closed()).toEqual([1008, 'Invalid parameter']);
    }
    expect([hub.readers, positions.takes.mock.calls[0]]).toEqual([0, ['natter:key:a', 'ci']]);
    positions.read.mockResolvedValue({ seq: 0, life: 'first' });
    expect((await come({ name: 'ci' })).closed()).toBeNull();
    expect((await come()).closed()).toBeNull();
  });

  it('gets all of LOGS when its position is one in an earlier LOGS', async () => {
    const { logs, come, positions } = rig();
    for (let line = 0; line < 5; line += 1) logs.write('a', 'info');
    positions.read.mockResolvedValue({ seq: 3, life: 'before' });
    const { outlet } = await come({ name: 'ci' });
    expect([outlet.gaps, outlet.seqs]).toEqual([[null], [1, 2, 3, 4, 5]]);
  });

  it('refuses frames above the rate, and closes who goes on', async () => {
    const { come } = rig();
    const { send, outlet, session, closed } = await come();
    for (let frame = 0; frame < 6; frame += 1) send({ nonsense: true });
    expect(outlet.got.map((got) => (got as { code?: string }).code)).toEqual([
      ...Array.from({ length: 5 }, () => 'UNKNOWN_TYPE'),
      'RATE_LIMIT',
    ]);
    for (let frame = 0; frame < 100; frame += 1) session.receivePong();
    expect(closed()).toEqual([1008, 'Too many refused frames']);
  });

  it('is closed when what was published to it was dropped, and with all others by an admin', async () => {
    const { come, sockets } = rig();
    const [dropped, other] = [await come(), await come()];
    dropped.session.dropped();
    expect(dropped.closed()).toEqual([1013, 'Reading too slowly']);
    expect(sockets.disconnectAll()).toBe(1);
    expect(other.closed()).toEqual([1012, 'Disconnected by an admin']);
    expect(sockets.size).toBe(0);
  });
});
