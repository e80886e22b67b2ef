import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { STREAMS, SUBJECTS } from '@natter/proto';
import { type NatsServer, startNatsServer } from '@natter/testkit';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { Bulk, type BulkDeps } from '../../../src/bus/bulk/bulk.ts';
import { Bus } from '../../../src/bus/bus.ts';
import { BusError } from '../../../src/bus/errors.ts';
import { ensureTopology } from '../../../src/bus/topology.ts';
import { connected, reconnected, silent } from '../connected.ts';

const MIB = 1_048_576;
const FILE = '6f1c3a2e-5b7d-4c89-9a01-23456789abcd';
const subject = (part: number) => SUBJECTS.chunk(FILE, `${part}-${MIB}`);

let server: NatsServer;
beforeEach(async () => {
  server = await startNatsServer();
});
afterEach(() => server.stop());

/** One without a library behind it: what it does, its own connection has done. */
function alone(more: Partial<BulkDeps> = {}): Bulk {
  const nobody = () => Promise.reject(new BusError('UNAVAILABLE', 'left to the library'));
  const bulk = new Bulk({
    options: { url: server.url, name: 'test' },
    inboxPrefix: '_INBOX_test',
    server: () => `127.0.0.1:${server.port}`,
    connected: () => true,
    reader: { last: nobody },
    append: nobody,
    ...more,
  });
  onTestFinished(() => bulk.close());
  return bulk;
}

/** Where somebody listens who says what `greet` says. */
async function brokerThat(greet: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const listening = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    greet(socket);
  });
  onTestFinished(() => {
    listening.close();
    for (const socket of sockets) socket.destroy();
  });
  await once(listening.listen(0, '127.0.0.1'), 'listening');
  return `127.0.0.1:${(listening.address() as AddressInfo).port}`;
}

const LEFT = { code: 'UNAVAILABLE', message: 'left to the library' };

describe('large messages', () => {
  it('are stored and read over a connection of their own, many at once', async () => {
    await connected(server);
    const bulk = alone();
    const messages = Array.from({ length: 12 }, () => randomBytes(MIB));
    const stored = messages.map((data, part) =>
      bulk.append(subject(part), data, { id: `${part}`, timeoutMs: 9_000 }),
    );
    const seqs = (await Promise.all(stored)).map(({ seq }) => seq);
    expect(new Set(seqs).size).toBe(12);
    const into = messages.map(() => Buffer.alloc(MIB));
    const read = await Promise.all(
      into.map((buffer, part) => bulk.last(STREAMS.chunks, subject(part), buffer)),
    );
    for (const [part, data] of messages.entries()) {
      expect(data.equals(read[part] as Uint8Array)).toBe(true);
      expect(read[part]?.buffer).toBe(into[part]?.buffer);
    }
  });

  it('are told as repeats by their id, and as missing where there are none', async () => {
    await connected(server);
    const bulk = alone();
    const options = { id: 'same', timeoutMs: 9_000 };
    const first = await bulk.append(subject(0), Buffer.from('abc'), options);
    expect(await bulk.append(subject(0), Buffer.from('abc'), options)).toEqual({ ...first, duplicate: true });
    expect(await bulk.last(STREAMS.chunks, subject(1), Buffer.alloc(10))).toBeNull();
    // A buffer that is too small for them takes nothing.
    const small = Buffer.alloc(2);
    expect(Buffer.from((await bulk.last(STREAMS.chunks, subject(0), small)) ?? '').toString()).toBe('abc');
    expect(small).toEqual(Buffer.alloc(2));
  });

  it('are refused as the broker refuses them', async () => {
    const bus = await connected(server);
    await bus.internals.jsm.streams.update(STREAMS.chunks, { max_bytes: MIB });
    const append = alone().append(subject(0), Buffer.alloc(MIB), { id: '1', timeoutMs: 9_000 });
    await expect(append).rejects.toMatchObject({ code: 'REFUSED' });
  });

  it('are left to the library where nobody stores them, there is TLS or a password, or no connection', async () => {
    const options = { id: '1', timeoutMs: 9_000 };
    const store = (bulk: Bulk) => expect(bulk.append('nowhere', Buffer.from('x'), options)).rejects;
    await store(alone()).toMatchObject(LEFT);
    for (const url of ['tls://127.0.0.1:4222', 'nats://user:pass@127.0.0.1:4222'])
      await store(alone({ options: { url, name: 'test' } })).toMatchObject(LEFT);
    await store(alone({ connected: () => false })).toMatchObject(LEFT);
    await store(alone({ server: () => '127.0.0.1:1' })).toMatchObject(LEFT);
  });

  it('are left to the library where the broker wants TLS or says what no broker says', async () => {
    for (const greeting of [
      'INFO {"tls_required":true}\r\n',
      'HTTP/1.1 400 Bad Request\r\n\r\n',
      'INFO {\r\n',
    ]) {
      const stranger = await brokerThat((socket) => socket.end(greeting));
      const bulk = alone({ server: () => stranger });
      await expect(bulk.last(STREAMS.chunks, subject(0), Buffer.alloc(1))).rejects.toMatchObject(LEFT);
    }
  });

  it('that are under way when the broker is killed are each stored once', async () => {
    const bus = await connected(server);
    await bus.bulk.append(subject(0), Buffer.alloc(1), { id: 'first', timeoutMs: 9_000 });
    const back = reconnected(bus);
    const parts = Array.from({ length: 24 }, (_, part) => part + 1);
    const appends = parts.map((part) =>
      bus.bulk.append(subject(part), Buffer.alloc(MIB, part), { id: `${part}`, timeoutMs: 60_000 }),
    );
    await appends[0];
    await server.kill();
    await server.restart();
    await Promise.all([back, ...appends]);
    expect(await bus.subjectsOf(STREAMS.chunks, SUBJECTS.chunk(FILE, '*'))).toHaveLength(25);
    const { state } = await bus.internals.jsm.streams.info(STREAMS.chunks);
    // A repeat takes the place of the first try, so nothing is there twice.
    expect(state.messages).toBe(25);
    const into = Buffer.alloc(MIB);
    for (const part of parts)
      expect((await bus.bulk.last(STREAMS.chunks, subject(part), into))?.[7]).toBe(part);
  });

  it('are left to the library for a while after their own connection broke off amid a request', async () => {
    let connections = 0;
    const brief = await brokerThat((socket) => {
      connections += 1;
      socket.write('INFO {}\r\n');
      socket.once('data', () => {
        socket.write('PONG\r\n');
        socket.once('data', () => socket.destroy());
      });
    });
    const last = async () => ({
      seq: 1,
      subject: 's',
      timeMs: 0,
      data: Buffer.from('x'),
      header: () => undefined,
    });
    const bulk = alone({ server: () => brief, reader: { last } });
    for (let times = 0; times < 3; times += 1) await bulk.last(STREAMS.chunks, subject(0), Buffer.alloc(10));
    expect(connections).toBe(1);
  });

  it.each([
    ['a subject', 'chunk.x 0\r\nPUB evil', '1'],
    ['a space in a subject', 'chunk.a b', '1'],
    ['an id', subject(0), '1\r\nNats-Rollup: all'],
    ['an id of other letters', subject(0), 'Ģ'],
  ])('never write a line of the protocol by what is in %s', async (_what, to, id) => {
    const said: string[] = [];
    const listening = await brokerThat((socket) => {
      socket.write('INFO {}\r\n');
      socket.on('data', (bytes) => {
        said.push(bytes.toString());
        socket.write('PONG\r\n');
      });
    });
    const append = alone({ server: () => listening }).append(to, Buffer.from('x'), { id, timeoutMs: 9_000 });
    await expect(append).rejects.toMatchObject({ code: 'REFUSED' });
    expect(said.join('')).not.toMatch(/PUB|Rollup/);
  });

  it('are read by the library where the broker says nothing on their own connection', async () => {
    const mute = await brokerThat((socket) => {
      socket.write('INFO {}\r\n');
      // To CONNECT, SUB and PING; and no word after it.
      socket.once('data', () => socket.write('PONG\r\n'));
    });
    const data = Buffer.from('of the library');
    const last = async () => ({ seq: 1, subject: 's', timeMs: 0, data, header: () => undefined });
    const bulk = alone({ server: () => mute, reader: { last } });
    expect(await bulk.last(STREAMS.chunks, subject(0), Buffer.alloc(10))).toEqual(data);
  });
});

it('a service signs in with its key, and may do there what it may do elsewhere', async () => {
  const guarded = await startNatsServer({ signIn: true });
  onTestFinished(() => guarded.stop());
  const connect = async (name: 'agent' | 'gateway' | 'uploads') => {
    const bus = await Bus.connect(
      { url: guarded.url, name, nkeyFile: guarded.keyFile(name) ?? null },
      silent,
    );
    onTestFinished(() => bus.close());
    return bus;
  };
  await ensureTopology(await connect('agent'), { replicas: 1, transcriptDays: 1 });
  const [gateway, uploads] = [await connect('gateway'), await connect('uploads')];
  const nkeyFile = guarded.keyFile('gateway') ?? null;
  const bulk = alone({
    options: { url: guarded.url, name: 'gateway', nkeyFile },
    inboxPrefix: '_INBOX_gateway',
    server: () => `127.0.0.1:${guarded.port}`,
  });
  await bulk.append(subject(0), Buffer.from('abc'), { id: '1', timeoutMs: 9_000 });
  const into = Buffer.alloc(10);
  expect(Buffer.from((await uploads.bulk.last(STREAMS.chunks, subject(0), into)) ?? '').toString()).toBe(
    'abc',
  );
  await expect(gateway.bulk.last(STREAMS.chunks, subject(0), into)).rejects.toMatchObject({
    code: 'REFUSED',
  });
  const refused = uploads.bulk.append(subject(1), Buffer.from('abc'), { id: '2', timeoutMs: 9_000 });
  await expect(refused).rejects.toMatchObject({ code: 'REFUSED' });
});
