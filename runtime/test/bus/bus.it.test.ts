import { connect as dial } from 'node:net';
import { conversationKey, STREAMS, SUBJECTS } from '@natter/proto';
import { type NatsServer, startNatsServer } from '@natter/testkit';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { Bus } from '../../src/bus/bus.ts';
import { ensureTopology } from '../../src/bus/topology.ts';
import { connected, silent, TOPOLOGY } from './connected.ts';

let server: NatsServer;
beforeAll(async () => {
  server = await startNatsServer();
});
afterAll(() => server.stop());

test('an error in a subscription handler ends neither the subscription nor the connection', async () => {
  const bus = await connected(server);
  const seen: string[] = [];
  bus.subscribe('thrown', (message) => {
    const text = Buffer.from(message.data).toString();
    seen.push(text);
    if (text === 'bad') throw new Error('a mistake of ours');
  });
  for (const text of ['good', 'bad', 'good again']) bus.publish('thrown', text);
  await vi.waitFor(() => expect(seen).toEqual(['good', 'bad', 'good again']));
  expect(bus.connected).toBe(true);
});

test('an error in an endpoint is answered as refused, and the next request is answered', async () => {
  const bus = await connected(server);
  let calls = 0;
  await bus.serve('echo', '1.0.0', 'Echoes.', [
    {
      name: 'echo',
      subject: 'echo',
      handle: (request) => {
        calls += 1;
        if (calls === 1) throw new Error('a mistake of ours');
        return request.data;
      },
    },
  ]);
  await expect(bus.request('echo', 'one', 5_000)).rejects.toMatchObject({ code: 'REFUSED' });
  expect(Buffer.from(await bus.request('echo', 'two', 5_000)).toString()).toBe('two');
});

test('a request that nobody serves fails at once with UNAVAILABLE', async () => {
  const bus = await connected(server);
  await expect(bus.request('nobody', 'x', 60_000)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});

test('the broker refuses a writer that has not seen the last message of its subject', async () => {
  const bus = await connected(server);
  const subject = SUBJECTS.runEvents(conversationKey('alice', 'fenced'), 'r1');
  const first = await bus.append(subject, 'first', { expectLast: 0 });
  await expect(bus.append(subject, 'stale', { expectLast: 0 })).rejects.toMatchObject({ code: 'CONFLICT' });
  const second = await bus.append(subject, 'second', { expectLast: first.seq });
  await expect(bus.append(subject, 'late', { expectLast: first.seq })).rejects.toMatchObject({
    code: 'CONFLICT',
  });
  expect((await bus.stored.last(STREAMS.events, subject))?.seq).toBe(second.seq);
});

test('a message above the broker’s limit is REFUSED and not tried again', async () => {
  const bus = await connected(server);
  const append = bus.append(SUBJECTS.turn('a=b'), new Uint8Array(3 * 1024 * 1024), { id: 'big' });
  await expect(append).rejects.toMatchObject({ code: 'REFUSED' });
});

test('the streams can be made by many services at once, and again', async () => {
  const fresh = await startNatsServer();
  try {
    const connect = () => Bus.connect({ url: fresh.url, name: 'test' }, silent);
    const buses = await Promise.all([connect(), connect(), connect(), connect()]);
    await Promise.all(buses.map((bus) => ensureTopology(bus, TOPOLOGY)));
    await Promise.all(buses.map((bus) => ensureTopology(bus, TOPOLOGY)));
    const streams = await buses[0]?.internals.jsm.streams.names().next();
    expect(streams).toEqual(expect.arrayContaining(Object.values(STREAMS)));
    await Promise.all(buses.map((bus) => bus.close()));
  } finally {
    await fresh.stop();
  }
});

test('a changed retention time reaches an existing stream', async () => {
  const bus = await connected(server);
  await ensureTopology(bus, { ...TOPOLOGY, transcriptDays: 7 });
  const { config } = await bus.internals.jsm.streams.info(STREAMS.messages);
  expect(config.max_age).toBe(7 * 86_400_000 * 1_000_000);
});

test('compare-and-set refuses a key that exists and a revision that is old', async () => {
  const bus = await connected(server);
  const bucket = await bus.bucket('runs');
  const revision = await bucket.create('key', 'one');
  await expect(bucket.create('key', 'two')).rejects.toMatchObject({ code: 'CONFLICT' });
  await bucket.update('key', 'two', revision);
  await expect(bucket.update('key', 'three', revision)).rejects.toMatchObject({ code: 'CONFLICT' });
  expect(Buffer.from((await bucket.get('key'))?.value ?? []).toString()).toBe('two');
});

test('a broker that does not answer is named without its credentials', async () => {
  const url = 'nats://alice:hunter2@127.0.0.1:1';
  const connect = Bus.connect({ url, name: 'test', connectTimeoutMs: 300 }, silent);
  await expect(connect).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringMatching(/^(?!.*hunter2).*nats:\/\/127\.0\.0\.1:1/),
  });
});

test('a conversation has a bound of unanswered questions, and others are not touched by it', async () => {
  const bus = await connected(server);
  await ensureTopology(bus, TOPOLOGY);
  const ask = (conversation: string, id: number) =>
    bus.append(SUBJECTS.turn(conversationKey('flood', conversation)), 'x', {
      id: `flood-${conversation}-${id}`,
    });
  for (let id = 0; id < 64; id += 1) await ask('full', id);
  await expect(ask('full', 64)).rejects.toMatchObject({ code: 'SUBJECT_FULL' });
  await expect(ask('other', 0)).resolves.toMatchObject({ duplicate: false });
});

test('a stored message says when the broker stored it, and a stream which sequences it holds', async () => {
  const bus = await connected(server);
  const subject = SUBJECTS.conversationLog(conversationKey('alice', 'times'));
  const before = Date.now();
  const { seq } = await bus.append(subject, 'x', { id: 'times' });
  const stored = await bus.stored.last(STREAMS.messages, subject);
  // Broker and test share one clock.
  expect(stored?.timeMs).toBeGreaterThanOrEqual(before);
  expect(stored?.timeMs).toBeLessThanOrEqual(Date.now());
  expect(await bus.streamState(STREAMS.messages)).toEqual({ firstSeq: 1, lastSeq: seq });
});

test('a log can be read from a time on', async () => {
  const bus = await connected(server);
  const subject = SUBJECTS.conversationLog(conversationKey('alice', 'since'));
  const before = Date.now();
  for (const id of ['since-1', 'since-2']) await bus.append(subject, id, { id });
  const since = async (timeMs: number, limit: number) =>
    (await bus.stored.since(STREAMS.messages, subject, timeMs, limit)).map(({ data }) =>
      Buffer.from(data).toString(),
    );
  expect(await since(before, 10)).toEqual(['since-1', 'since-2']);
  expect(await since(0, 1)).toEqual(['since-1']);
  expect(await since(before + 3_600_000, 10)).toEqual([]);
});

/** Stores a message with headers of the publisher's choice. */
async function publishRaw(subject: string, headers: string[], data: string): Promise<void> {
  const head = `NATS/1.0\r\n${headers.join('\r\n')}\r\n\r\n`;
  const sizes = `${head.length} ${head.length + data.length}`;
  const socket = dial(server.port, '127.0.0.1');
  socket.write(
    `CONNECT {"verbose":false,"headers":true}\r\nHPUB ${subject} ${sizes}\r\n${head}${data}\r\nPING\r\n`,
  );
  await new Promise<void>((resolve) => {
    socket.on('data', (bytes) => bytes.includes('PONG') && resolve());
  });
  socket.destroy();
}

test('a publisher can claim no sequence, subject or time for what a stream holds', async () => {
  const bus = await connected(server);
  const subject = SUBJECTS.log('shop', 'info', 'claims');
  const heard: (string | undefined)[] = [];
  bus.subscribe('logs.out.shop.info.claims', (message) => heard.push(message.header('Nats-Sequence')));
  await bus.streamState(STREAMS.logs);
  const claims = ['Nats-Sequence: 9007199254740991', 'Nats-Subject: log.gateway.info.general'];
  await publishRaw(subject, [...claims, 'Nats-Time-Stamp: 2001-01-01T00:00:00Z'], '{}');
  await vi.waitFor(() => expect(heard).toEqual(['1']));
  for (const [stored] of [
    [await bus.stored.last(STREAMS.logs, subject)],
    await bus.stored.from(STREAMS.logs, subject, 1, 10),
  ]) {
    expect(stored).toMatchObject({ seq: 1, subject });
    expect(stored?.timeMs).toBeGreaterThan(Date.UTC(2020));
  }
});
