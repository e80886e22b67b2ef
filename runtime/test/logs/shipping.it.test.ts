import { OWN_SERVICES, STREAMS, SUBJECTS } from '@natter/proto';
import { type NatsServer, startNatsServer } from '@natter/testkit';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { Bus, type BusMessage, ensureTopology, Metrics, type ServiceName } from '../../src/index.ts';
import { ProcessLogs } from '../../src/logs/process-logs.ts';
import { reconnected, silent, TOPOLOGY } from '../bus/connected.ts';

const soon = (check: () => void | Promise<void>) => vi.waitFor(check, { timeout: 20_000 });

let nats: NatsServer;
/** Makes the streams. */
let agent: Bus;
/** Reads them. */
let gateway: Bus;
const open: Bus[] = [];

beforeEach(async () => {
  nats = await startNatsServer({ signIn: true });
  agent = await connect('agent');
  gateway = await connect('gateway');
  await ensureTopology(agent, TOPOLOGY);
});

afterEach(async () => {
  for (const bus of open.splice(0)) await bus.close();
  await nats.stop();
});

async function connect(service: ServiceName): Promise<Bus> {
  const bus = await Bus.connect({ url: nats.url, name: service, nkeyFile: nats.keyFile(service) }, silent);
  open.push(bus);
  return bus;
}

/** The logs of a service that writes nothing to standard output. */
function logsOf(service: string, shippedLevel: 'debug' | 'info' | 'silent' = 'info'): ProcessLogs {
  return new ProcessLogs({ service, level: 'silent', shippedLevel });
}

async function storedLines(subject: string = SUBJECTS.allLogLines) {
  const found = await gateway.stored.from(STREAMS.logs, subject, 1, 10_000);
  return found.map(({ seq, subject, data }) => ({
    seq,
    subject,
    ...(JSON.parse(Buffer.from(data).toString()) as { service: string; msg: string; level: string }),
  }));
}

const texts = async (subject?: string) => (await storedLines(subject)).map(({ msg }) => msg);

test('[logs/subject] every service ships with its own key, also with LOG_LEVEL=silent, and the last lines too', async () => {
  for (const service of OWN_SERVICES) {
    const logs = logsOf(service);
    logs.log.info('before the bus');
    const bus = await connect(service);
    logs.attach(bus, new Metrics(service));
    logs.log.child({ category: 'access' }).warn({ token: 'canary' }, 'with it');
    logs.log.debug('below the level');
    logs.log.info('stopping');
    await bus.close();
  }
  const lines = await storedLines();
  expect(JSON.stringify(lines)).not.toContain('canary');
  expect(lines.map(({ subject, msg }) => `${subject} ${msg}`)).toEqual(
    OWN_SERVICES.flatMap((service) => [
      `log.${service}.info.general before the bus`,
      `log.${service}.warn.access with it`,
      `log.${service}.info.general stopping`,
    ]),
  );
});

test('nothing is shipped with NATTER_SHIPPED_LOG_LEVEL=silent', async () => {
  const logs = logsOf('gateway', 'silent');
  const bus = await connect('gateway');
  logs.attach(bus, new Metrics('gateway'));
  logs.log.fatal('nothing of it');
  logs.broadcast('nor of it', 'fatal', 'broadcast');
  await bus.close();
  expect(await storedLines()).toEqual([]);
});

test('[logs/broadcast-kinds] a broadcast is shipped once, whatever its level', async () => {
  const logs = logsOf('gateway');
  const bus = await connect('gateway');
  logs.attach(bus, new Metrics('gateway'));
  logs.broadcast('low', 'debug', 'broadcast');
  logs.broadcast('high', 'error', 'jobs');
  await bus.close();
  expect((await storedLines()).map(({ subject, msg }) => `${subject} ${msg}`)).toEqual([
    'log.gateway.debug.broadcast low',
    'log.gateway.error.jobs high',
  ]);
});

test('lines written while the broker goes and is away arrive once each, in order', async () => {
  const logs = logsOf('auth');
  const bus = await connect('auth');
  logs.attach(bus, new Metrics('auth'));
  const written: string[] = [];
  const write = (count: number) => {
    for (let n = 0; n < count; n += 1) {
      written.push(`line ${written.length}`);
      logs.log.info(written.at(-1));
    }
  };
  write(500);
  // Some of them are stored, most are under way or wait.
  await soon(async () => expect(await texts()).not.toEqual([]));
  const back = [reconnected(bus), reconnected(gateway)];
  bus.onDisconnect(() => write(500));
  write(500);
  await nats.kill();
  await nats.restart();
  await Promise.all(back);
  write(1);
  const own = 'log.auth.info.general';
  await soon(async () => expect(await texts(own)).toContain('line 1500'));
  expect(await texts(own)).toEqual(written);
});

test('[logs/never-blocks] [logs/bounded] [logs/dropped-counted] [logs/dropped-said] with a broker that answers nobody a service goes on writing and drops what finds no room, counts it, and says so', async () => {
  const logs = logsOf('uploads');
  const bus = await connect('uploads');
  const metrics = new Metrics('uploads');
  logs.attach(bus, metrics);
  logs.log.info('before');
  await soon(async () => expect(await texts('log.uploads.info.general')).toEqual(['before']));
  nats.pause();
  const written = 15_000;
  // Nothing in this loop can wait: it ends although nobody takes a line.
  for (let n = 0; n < written; n += 1) logs.log.info({ category: 'burst' }, String(n));
  const counted = async () => Number(/dropped_total\S* (\d+)/.exec(await metrics.expose())?.[1]);
  const dropped = await counted();
  // 10,000 lines wait at most.
  expect(dropped).toBeGreaterThanOrEqual(written - 10_000);
  expect(dropped).toBeLessThan(written);
  // Each line is on disk before the broker has taken it.
  const inTheEnd = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 90_000, interval: 500 });
  nats.resume();
  const said = `${dropped} log lines were dropped`;
  await inTheEnd(async () => expect(await texts('log.uploads.warn.logs')).toEqual([said]));
  logs.log.info('after');
  await inTheEnd(async () => expect(await texts('log.uploads.info.general')).toEqual(['before', 'after']));
  const kept = Array.from({ length: written - dropped }, (_, n) => String(n));
  await inTheEnd(async () => expect(await texts('log.uploads.info.burst')).toEqual(kept));
  expect(await counted()).toBe(dropped);
});

test('lines wait until LOGS is made', async () => {
  const fresh = await startNatsServer();
  onTestFinished(() => fresh.stop());
  const bus = await Bus.connect({ url: fresh.url, name: 'auth' }, silent);
  open.push(bus);
  const logs = logsOf('auth');
  logs.attach(bus, new Metrics('auth'));
  for (let n = 0; n < 300; n += 1) logs.log.info(String(n));
  // Until the broker has said for the first time that nobody stores them.
  await bus.append(SUBJECTS.log('auth', 'info', 'x'), 'x', { once: true }).catch(() => undefined);
  await ensureTopology(bus, TOPOLOGY);
  const stored = async () =>
    (await bus.stored.from(STREAMS.logs, 'log.auth.info.general', 1, 1_000)).map(
      ({ data }) => JSON.parse(Buffer.from(data).toString()).msg,
    );
  await soon(async () => expect(await stored()).toHaveLength(300));
  expect(await stored()).toEqual(Array.from({ length: 300 }, (_, n) => String(n)));
});

test('a line that is sent again is stored once', async () => {
  const subject = SUBJECTS.log('agent', 'info', 'general');
  const first = await agent.append(subject, '{}', { id: 'same', once: true });
  expect(await agent.append(subject, '{}', { id: 'same', once: true })).toEqual({
    seq: first.seq,
    duplicate: true,
  });
});

test('LOGS goes on behind its last sequence after its broker was killed, and has what was acknowledged', async () => {
  const subject = SUBJECTS.log('agent', 'info', 'general');
  const say = (n: number) => agent.append(subject, JSON.stringify({ msg: `${n}` }), { id: `${n}` });
  for (let n = 1; n <= 100; n += 1) expect((await say(n)).seq).toBe(n);
  const back = [reconnected(agent), reconnected(gateway)];
  await nats.kill();
  await nats.restart();
  await Promise.all(back);
  expect((await say(101)).seq).toBe(101);
  expect(await texts()).toEqual(Array.from({ length: 101 }, (_, n) => `${n + 1}`));
  // Who knows the stream already brings it up to date; the broker takes its configuration again.
  await ensureTopology(agent, { ...TOPOLOGY, logDays: 7 });
  expect((await agent.internals.jsm.streams.info(STREAMS.logs)).config.max_age).toBe(7 * 86_400 * 1e9);
});

test('a gateway hears lines with their sequence and that of the line before on the subject', async () => {
  const heard: BusMessage[] = [];
  gateway.subscribe('logs.out.*.warn.*', (message) => heard.push(message));
  await gateway.streamState(STREAMS.logs);
  const say = (level: 'info' | 'warn') => agent.append(SUBJECTS.log('agent', level, 'a.b'), level);
  const [one, , three] = [await say('warn'), await say('info'), await say('warn')];
  await soon(() => expect(heard).toHaveLength(2));
  expect(heard.map(({ subject }) => subject)).toEqual(Array(2).fill('logs.out.agent.warn.a_2eb'));
  const header = (name: string) => heard.map((message) => message.header(name));
  expect(header('Nats-Sequence')).toEqual([`${one.seq}`, `${three.seq}`]);
  expect(header('Nats-Last-Sequence')).toEqual(['0', `${one.seq}`]);
});

test('[logs/ingest-nats] [logs/ingest-nats-denied] a program with the key for writers may publish lines of others, not ours, and hears nothing', async () => {
  const writer = await connect('log-writer');
  const append = (service: string) =>
    writer.append(SUBJECTS.log(service, 'info', 'general'), '{}', { once: true });
  expect((await append('printer')).seq).toBe(1);
  for (const service of OWN_SERVICES)
    await expect(append(service)).rejects.toMatchObject({ code: 'REFUSED' });
  await expect(writer.append(SUBJECTS.turn('a=b'), '{}', { once: true })).rejects.toMatchObject({
    code: 'REFUSED',
  });
  const heard: string[] = [];
  for (const subject of ['logs.out.>', 'log.>'])
    writer.subscribe(subject, (message) => heard.push(message.subject));
  await append('printer');
  await append('printer');
  expect(heard).toEqual([]);
});

test.each([
  ['agent', 'gateway'],
  ['auth', 'agent'],
  ['uploads', 'auth'],
] as const)('%s may not publish lines of %s', async (service, other) => {
  const bus = await connect(service);
  const line = bus.append(SUBJECTS.log(other, 'info', 'general'), '{}', { once: true });
  await expect(line).rejects.toMatchObject({ code: 'REFUSED' });
});
