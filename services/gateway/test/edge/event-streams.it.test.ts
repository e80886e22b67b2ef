import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BodyWriter, HttpRequest, Route } from '../../src/rest/route.ts';
import { bodyOf, type EdgeRig, numbered, replyTo, startEdge } from './edge-rig.ts';

let rig: EdgeRig;
let writers: BodyWriter[];

const events: Route = {
  method: 'GET',
  path: '/events',
  maxBodyBytes: 0,
  handle: () => ({
    status: 200,
    headers: { 'content-type': 'text/event-stream' },
    length: null,
    stream(writer) {
      writers.push(writer);
      writer.write('retry: 1000\n\n');
      writer.signal.addEventListener('abort', () => {
        writer.write('data: bye\n\n');
        writer.end();
      });
    },
  }),
};

let slow: PromiseWithResolvers<string>;
let asked: PromiseWithResolvers<HttpRequest>;

const routes: Route[] = [
  events,
  {
    method: 'GET',
    path: '/deaf',
    maxBodyBytes: 0,
    handle: () => ({ status: 200, headers: {}, length: null, stream: (writer) => void writer.write('x') }),
  },
  { method: 'GET', path: '/plain', maxBodyBytes: 0, handle: () => ({ status: 200, headers: {}, body: 'x' }) },
  {
    method: 'GET',
    path: '/slow',
    maxBodyBytes: 0,
    handle: async (request) => {
      asked.resolve(request);
      return { status: 200, headers: {}, body: await slow.promise };
    },
  },
  {
    method: 'GET',
    path: '/file',
    maxBodyBytes: 0,
    handle: async () => ({
      status: 200,
      headers: {},
      length: 6,
      async stream(writer) {
        writers.push(writer);
        writer.write('abc');
        writer.write(await slow.promise);
      },
    }),
  },
];

beforeEach(async () => {
  writers = [];
  slow = Promise.withResolvers();
  asked = Promise.withResolvers();
  rig = await startEdge(routes, { maxConnections: 3, maxConnectionsPerAddress: 2 });
});

afterEach(() => rig.edge.drain(0));

async function follow() {
  const request = rig.begin('GET', '/events').end();
  const reply = await replyTo(request);
  return { request, reply, status: reply.statusCode };
}

describe('an event stream', () => {
  it('sends each piece at once, until it ends', async () => {
    const { reply } = await follow();
    const pieces = reply[Symbol.asyncIterator]();
    const next = async () => String((await pieces.next()).value);
    expect(await next()).toBe('retry: 1000\n\n');
    for (const event of ['data: ä\n\n', 'data: 2\n\n']) {
      expect(writers[0]?.write(event)).toBe(true);
      expect(await next()).toBe(event);
    }
    expect(writers[0]?.buffered()).toBe(0);
    await writers[0]?.drained();
    writers[0]?.end();
    expect((await pieces.next()).done).toBe(true);
    expect(writers[0]?.write('late')).toBe(true);
  });

  it('sends a reader who was away for a while all of it, in order, the rest without another write', async () => {
    const { reply } = await follow();
    const bytes = numbered(24 * 1024 * 1024);
    let sent = 0;
    while (writers[0]?.write(bytes.subarray(sent, sent + 1_000_000))) sent += 1_000_000;
    sent += 1_000_000;
    expect(writers[0]?.buffered()).toBeGreaterThan(0);
    let got = 0;
    const wanted = Buffer.concat([Buffer.from('retry: 1000\n\n'), bytes.subarray(0, sent)]);
    for await (const piece of reply) {
      expect(piece.equals(wanted.subarray(got, got + piece.length))).toBe(true);
      got += piece.length;
      if (got === wanted.length) break;
    }
    await writers[0]?.drained();
    expect(writers[0]?.buffered()).toBe(0);
  });

  it('ends behind what waits', async () => {
    const { reply } = await follow();
    let written = 'retry: 1000\n\n'.length;
    const piece = numbered(1_000_000);
    while (writers[0]?.write(piece)) written += piece.length;
    writers[0]?.end();
    expect((await bodyOf(reply)).length).toBe(written + piece.length);
  });

  it('loses its connection when the writer goes on in spite of everything', async () => {
    const { reply } = await follow();
    const piece = numbered(1_000_000);
    for (let count = 0; count < 40; count += 1) writers[0]?.write(piece);
    expect(writers[0]?.signal.aborted).toBe(true);
    expect(writers[0]?.buffered()).toBe(0);
    await expect(bodyOf(reply)).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('tells its writer when the client goes', async () => {
    const { request } = await follow();
    const [writer] = writers;
    const gone = Promise.withResolvers<void>();
    writer?.signal.addEventListener('abort', () => gone.resolve());
    request.destroy();
    await gone.promise;
    expect([writer?.write('late'), writer?.buffered()]).toEqual([true, 0]);
    await writer?.drained();
    writer?.end();
  });

  it('counts as a connection, until it ends', async () => {
    const streams = [await follow(), await follow()];
    expect(rig.edge.connections).toBe(2);
    const refused = await replyTo(rig.begin('GET', '/events').end());
    expect(refused.statusCode).toBe(503);
    expect(JSON.parse(String(await bodyOf(refused)))).toMatchObject({ code: 'TOO_MANY_CONNECTIONS' });
    expect((await replyTo(rig.begin('GET', '/plain').end())).statusCode).toBe(200);
    expect((await replyTo(rig.begin('HEAD', '/events').end())).statusCode).toBe(200);
    writers[0]?.end();
    for (const { reply } of streams.slice(0, 1)) await bodyOf(reply);
    expect(rig.edge.connections).toBe(1);
    expect((await follow()).status).toBe(200);
  });

  it('counts in all, whatever the address', async () => {
    await rig.edge.drain(0);
    const options = { maxConnections: 3, maxConnectionsPerAddress: 2, trustedProxies: ['127.0.0.1'] };
    rig = await startEdge(routes, options);
    const from = async (address: string) => {
      const headers = { 'x-forwarded-for': address };
      return (await replyTo(rig.begin('GET', '/events', { headers }).end())).statusCode;
    };
    expect([await from('192.0.2.1'), await from('192.0.2.1'), await from('192.0.2.1')]).toEqual([
      200, 200, 503,
    ]);
    expect([await from('192.0.2.2'), await from('192.0.2.3')]).toEqual([200, 503]);
  });
});

describe('an edge that stops', () => {
  it('tells event streams, waits for their end, and for downloads', async () => {
    const { reply } = await follow();
    const file = await replyTo(rig.begin('GET', '/file').end());
    const drained = rig.edge.drain(0);
    expect(String(await bodyOf(reply))).toBe('retry: 1000\n\ndata: bye\n\n');
    expect(writers.map(({ signal }) => signal.aborted)).toEqual([true, false]);
    slow.resolve('def');
    expect(String(await bodyOf(file))).toBe('abcdef');
    await drained;
    expect(rig.edge.connections).toBe(0);
  });

  it('cuts off what does not end', async () => {
    const reply = await replyTo(rig.begin('GET', '/deaf').end());
    const body = bodyOf(reply);
    body.catch(() => {});
    await rig.edge.drain(0);
    await expect(body).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(rig.edge.connections).toBe(0);
  });

  it('begins no event stream', async () => {
    const early = rig.raw();
    early.socket.write('GET /plain HTTP/1.1\r\nhost: x\r\n\r\n');
    await early.saw('200 OK');
    const pending = replyTo(rig.begin('GET', '/slow').end());
    await asked.promise;
    const { reply } = await follow();
    const drained = rig.edge.drain(0);
    // Until streams are told to end, it still reads what those ask who were accepted before.
    await bodyOf(reply);
    early.socket.write('GET /events HTTP/1.1\r\nhost: x\r\n\r\n');
    await early.saw('SHUTTING_DOWN');
    slow.resolve('done');
    expect(String(await bodyOf(await pending))).toBe('done');
    await Promise.all([drained, early.closed]);
    expect(writers).toHaveLength(1);
  });
});
