/** Logs over HTTP and NATS on two gateways: broadcasts, numbers, and lines from outside. */
import { join } from 'node:path';
import { BUCKETS, CLOSES, type ErrorCode, OWN_SERVICES, STREAMS, SUBJECTS } from '@natter/proto';
import { Bus, createLogger } from '@natter/runtime';
import { type Frame, type Probe, ServiceProcess, type Stack, startStack } from '@natter/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import {
  askHttp,
  type EventStream,
  framesUpTo,
  type LogVisit,
  makeKey,
  openLogSocket,
  openLogStream,
  readersAre,
} from '../src/log-reading.ts';
import { readMetric } from '../src/metrics.ts';
import { reportFailures } from '../src/report-failures.ts';
import { codeBelow } from '../src/seed-document.ts';

/** What writes and reads from the start. */
const KEY = 'the-logs-key-of-the-environment';
const GATEWAYS = [0, 1];
const BROADCAST = '/api/broadcast-log';

let stack: Stack;
let admin: string;
beforeAll(async () => {
  // Services say nothing of their own here: what readers get is what a test has sent.
  const env = { LOGS_API_KEY: KEY, NATTER_SHIPPED_LOG_LEVEL: 'silent', WS_RATE_LIMIT_REQUESTS: '10000' };
  stack = await startStack({ gateways: GATEWAYS.length, env });
  admin = await stack.token({ sub: 'root', roles: ['admin'] });
});
afterAll(() => stack?.stop());
reportFailures(() => stack);

const sockets: Probe[] = [];
const streams: EventStream[] = [];
afterEach(async () => {
  for (const stream of streams.splice(0)) stream.close();
  await Promise.all(sockets.splice(0).map((probe) => probe.close()));
  await readersAre(stack, 0);
});

/** They read when this resolves. */
async function socketsAndStreams(visits: Omit<LogVisit, 'key'>[], wires = ['socket', 'stream']) {
  for (const visit of visits) {
    if (wires.includes('socket')) sockets.push(await openLogSocket(stack, { key: KEY, ...visit }));
    if (wires.includes('stream')) streams.push(await openLogStream(stack, { key: KEY, ...visit }));
  }
  await readersAre(stack, sockets.length + streams.length);
  return [...sockets, ...streams];
}

const everywhere = (query = '') => GATEWAYS.map((gateway) => ({ gateway, query }));

const post = (path: string, body?: unknown, { key = KEY, gateway = 0 } = {}) =>
  askHttp(stack, 'POST', path, { key, body, gateway });

async function broadcast(message: string, gateway = 0): Promise<Frame> {
  const replied = await post(`${BROADCAST}?message=${encodeURIComponent(message)}`, undefined, { gateway });
  expect(replied.status).toBe(200);
  return replied.body;
}

async function activeSockets(gateway: number): Promise<Frame> {
  const { status, body } = await askHttp(stack, 'GET', '/api/get-active-websockets', { key: KEY, gateway });
  expect(status).toBe(200);
  return body;
}

async function expectActive(count: number): Promise<void> {
  for (const gateway of GATEWAYS) expect(await activeSockets(gateway)).toEqual({ active_websockets: count });
}

function expectRefused(replied: { status: number; body: Frame }, status: number, code: ErrorCode): void {
  expect([replied.status, replied.body]).toMatchObject([status, { code }]);
}

describe('a broadcast', () => {
  it('[logs/broadcast] [logs/broadcast-example] [logs/broadcast-route] [logs/all-gateways] reaches every socket and stream of every gateway once, with the text of the seed', async () => {
    const [, text = ''] = /broadcast_log\("(.+)"\)/.exec(codeBelow('2. Broadcast Log Messages', '003')) ?? [];
    expect(text).toBe('System update completed.');
    const readers = await socketsAndStreams([...everywhere(), ...everywhere()]);
    expect(readers).toHaveLength(8);
    expect(await broadcast(text)).toEqual({ status: 'success', message: `Log broadcasted: ${text}` });
    await broadcast('the other gateway', 1);
    for (const reader of readers)
      expect(await framesUpTo(reader, 'the other gateway')).toEqual([
        { log: text },
        { log: 'the other gateway' },
      ]);
  });

  it('[logs/broadcast-kinds] has the level and the category that it is given, and info and broadcast without', async () => {
    const readers = await socketsAndStreams(everywhere('?format=full'));
    const kinds = { level: 'error', category: 'jobs', service: 'shop' };
    for (const body of [{ message: 'with kinds', ...kinds }, { message: 'without' }])
      expect((await post(BROADCAST, body)).status).toBe(200);
    for (const reader of readers)
      expect(await framesUpTo(reader, 'without')).toMatchObject([
        { log: 'with kinds', ...kinds },
        { log: 'without', level: 'info', category: 'broadcast', service: 'external' },
      ]);
    expectRefused(await post(BROADCAST, { message: 'x', level: 'loud' }), 400, 'INVALID_LOG_LINE');
    expectRefused(await post(BROADCAST, { message: ' ' }), 400, 'EMPTY_MESSAGE');
  });

  it('[logs/broadcast-internal] [logs/broadcast-kinds] is a function for services of ours, which show no key', async () => {
    const readers = await socketsAndStreams(everywhere('?format=full&category=jobs'));
    const { PATH = '' } = process.env;
    const service = await ServiceProcess.start({
      name: 'a service',
      entry: join(import.meta.dirname, '../../runtime/test/logs/tiny-service.ts'),
      env: { PATH, NATS_URL: stack.nats.url, NATTER_NATS_NKEY_FILE: stack.nats.keyFile('agent') },
    });
    try {
      process.kill(service.pid, 'SIGUSR2');
      for (const reader of readers)
        expect(await framesUpTo(reader, 'for all')).toMatchObject([
          { service: 'agent', level: 'info', category: 'jobs' },
        ]);
    } finally {
      await service.stop();
    }
  });

  it('[logs/broadcast-scope] wants the scope logs:write, and nobody hears one that is refused', async () => {
    const readers = await socketsAndStreams(everywhere());
    const [reads, writes] = [
      await makeKey(stack, admin, ['logs:read']),
      await makeKey(stack, admin, ['logs:write']),
    ];
    const user = await stack.token({ sub: 'alice' });
    const path = `${BROADCAST}?message=refused`;
    for (const key of [reads.key, user]) expectRefused(await post(path, '', { key }), 403, 'SCOPE_REQUIRED');
    expectRefused(await post(path, '', { key: '' }), 401, 'AUTH_REQUIRED');
    expectRefused(await post(path, '', { key: 'nonsense' }), 401, 'INVALID_TOKEN');
    expect((await post(`${BROADCAST}?message=taken`, '', { key: writes.key })).status).toBe(200);
    for (const reader of readers) expect(await framesUpTo(reader, 'taken')).toEqual([{ log: 'taken' }]);
  });
});

describe('active connections', () => {
  it('[logs/active] [logs/active-route] [logs/active-all] [logs/disconnected] are counted over all gateways while they are open, and leave nothing behind', async () => {
    await expectActive(0);
    const visits = [{ gateway: 0 }, { gateway: 0, query: '?level=warn' }, { gateway: 1 }];
    await socketsAndStreams(visits, ['socket']);
    await expectActive(3);
    // Refused ones never counted.
    const refused = await openLogSocket(stack, { key: 'nonsense' });
    await refused.closing();
    await expectActive(3);
    const [first, second, third] = sockets.splice(0) as [Probe, Probe, Probe];
    // One without a word, as when its network is gone.
    first.socket.terminate();
    await readersAre(stack, 2);
    await expectActive(2);
    for (const probe of [second, third]) await probe.close();
    await readersAre(stack, 0);
    await expectActive(0);
    for (const gateway of stack.gateways)
      expect(await readMetric(gateway, 'natter_gateway_log_feeds')).toBe(0);
  });

  it('[logs/disconnect-route] [logs/disconnect-admin] are closed on every gateway by an admin, and by nobody else', async () => {
    const path = '/api/disconnect-all-websockets';
    await socketsAndStreams([...everywhere(), ...everywhere('?level=warn')], ['socket']);
    const reads = await makeKey(stack, admin, ['logs:read', 'logs:write']);
    for (const key of [KEY, reads.key, await stack.token({ sub: 'alice' })])
      expectRefused(await post(path, undefined, { key }), 403, 'ADMIN_ONLY');
    expectRefused(await post(path, undefined, { key: '' }), 401, 'AUTH_REQUIRED');
    await expectActive(4);
    const { status, body } = await post(path, undefined, { key: admin, gateway: 1 });
    expect([status, body]).toMatchObject([200, { status: 'success', disconnected: 4 }]);
    const { code, reason } = CLOSES.disconnected;
    for (const probe of sockets.splice(0)) expect(await probe.closing()).toEqual({ code, reason });
    await expectActive(0);
    // A key with the scope admin is one, too; and who was disconnected may come back.
    await socketsAndStreams(everywhere(), ['socket']);
    const { key } = await makeKey(stack, admin, ['admin']);
    expect((await post(path, undefined, { key })).body).toMatchObject({ disconnected: 2 });
    for (const probe of sockets) await probe.closing();
  });
});

describe('lines of a service outside', () => {
  it('[logs/ingest-line] come one by one over HTTP, and readers of every gateway get them whole', async () => {
    const readers = await socketsAndStreams(everywhere('?format=full&service=shop'));
    const time = '2026-01-02T03:04:05.678Z';
    const kinds = { service: 'shop', level: 'warn', category: 'orders' };
    const line = { ...kinds, time, msg: 'sold out', traceId: 'trace-1', sku: 7, at: { shelf: 'b' } };
    expect(await post('/api/logs', line)).toEqual({ status: 200, body: { accepted: 1, refused: [] } });
    const shown = { log: 'sold out', ...kinds, time, trace_id: 'trace-1', fields: { sku: 7, at: line.at } };
    for (const reader of readers) expect(await framesUpTo(reader, 'sold out')).toMatchObject([shown]);
  });

  it('[logs/ingest-batch] come in batches of NDJSON, good lines are taken and bad ones named by number', async () => {
    const readers = await socketsAndStreams(everywhere('?service=shop'));
    const good = Array.from({ length: 200 }, (_, at) => `line ${at}`);
    const rows = good.map((msg) => JSON.stringify({ service: 'shop', msg }));
    const reasons: [line: string, detail: string][] = [
      ['no JSON', 'not JSON'],
      ['[]', 'not JSON'],
      ['{"service":"shop"}', 'msg'],
      ['{"msg":"x","level":"loud"}', 'level'],
      ['{"msg":"x","service":"a b"}', 'service'],
    ];
    const bad = reasons.map(([line]) => line);
    // Behind the hundredth; a blank line is counted and no mistake.
    rows.splice(100, 0, '', ...bad);
    const { status, body } = await post('/api/logs', rows.join('\n'), { gateway: 1 });
    const code = 'INVALID_LOG_LINE';
    const refused = reasons.map(([, detail], at) => ({ line: 101 + at, code, detail }));
    expect([status, body]).toEqual([200, { accepted: 200, refused }]);
    await post('/api/logs', { service: 'shop', msg: 'end' });
    for (const reader of readers) {
      const texts = (await framesUpTo(reader, 'end')).map(({ log }) => log);
      expect(texts.toSorted()).toEqual([...good, 'end'].toSorted());
    }
    expectRefused(await post('/api/logs', bad.join('\n')), 400, code);
  });

  it('[logs/ingest-names] never come under the name of a service of ours', async () => {
    const readers = await socketsAndStreams(everywhere());
    for (const name of OWN_SERVICES)
      for (const service of [name, name.toUpperCase()]) {
        expectRefused(await post('/api/logs', { service, msg: 'forged' }), 400, 'INVALID_LOG_LINE');
        expectRefused(await post(BROADCAST, { service, message: 'forged' }), 400, 'INVALID_LOG_LINE');
      }
    await broadcast('end');
    for (const reader of readers) expect(await framesUpTo(reader, 'end')).toEqual([{ log: 'end' }]);
  });
});

describe('a program on NATS with the key for writers', () => {
  async function writer(): Promise<Bus> {
    const nkeyFile = stack.nats.keyFile('log-writer');
    const log = createLogger('test', 'silent');
    const bus = await Bus.connect({ url: stack.nats.url, name: 'log-writer', nkeyFile }, log);
    onTestFinished(() => bus.close());
    return bus;
  }

  const once = { once: true };

  it('[logs/ingest-nats] publishes lines that readers get, whatever bytes they are', async () => {
    const readers = await socketsAndStreams(everywhere('?format=full&service=printer'));
    const bus = await writer();
    const publish = (level: 'warn' | 'info', data: string) =>
      bus.append(SUBJECTS.log('printer', level, 'paper'), data, once);
    // The subject says where a line is from: that is what the broker has judged.
    await publish('warn', JSON.stringify({ service: 'gateway', level: 'fatal', msg: 'empty', tray: 2 }));
    await publish('info', 'no JSON');
    const kinds = { service: 'printer', category: 'paper' };
    for (const reader of readers)
      expect(await framesUpTo(reader, 'no JSON')).toMatchObject([
        { ...kinds, log: 'empty', level: 'warn', fields: { tray: 2 } },
        { ...kinds, log: 'no JSON', level: 'info' },
      ]);
  });

  it('[logs/ingest-nats-denied] [logs/ingest-names] may do nothing else, not under our names, and reads nothing', async () => {
    const readers = await socketsAndStreams(everywhere());
    const bus = await writer();
    const denied = async (subject: string, data = '{}') =>
      expect(bus.append(subject, data, once)).rejects.toThrow(/permissions violation/i);
    for (const service of OWN_SERVICES)
      await denied(SUBJECTS.log(service, 'info', 'general'), JSON.stringify({ service, msg: 'forged' }));
    for (const subject of [
      'logs.out.printer.info.paper',
      'ev.out.user.x',
      'msg.conv.a.log',
      SUBJECTS.turn('a=b'),
    ])
      await denied(subject);
    // Who asks for what a stream holds publishes to one of these.
    for (const stream of [...Object.values(STREAMS), ...Object.values(BUCKETS).map((name) => `KV_${name}`)])
      for (const ask of ['DIRECT.GET', 'STREAM.MSG.GET', 'STREAM.INFO', 'CONSUMER.CREATE'])
        await denied(`$JS.API.${ask}.${stream}`);
    const heard: string[] = [];
    for (const subject of ['>', 'logs.out.>', 'log.>', 'ev.>', 'auth.>', '_INBOX_gateway.>'])
      bus.subscribe(subject, (message) => heard.push(message.subject));
    // It is said and stored while those subscriptions would be there.
    const last = JSON.stringify({ msg: 'end' });
    await bus.append(SUBJECTS.log('printer', 'info', 'general'), last, once);
    for (const reader of readers) expect(await framesUpTo(reader, 'end')).toEqual([{ log: 'end' }]);
    expect(heard).toEqual([]);
  });
});
