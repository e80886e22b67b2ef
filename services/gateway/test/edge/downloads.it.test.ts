import { setImmediate } from 'node:timers/promises';
import { BusError } from '@natter/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { STALL_SECONDS } from '../../src/edge/stream-body.ts';
import type { BodyWriter, Route } from '../../src/rest/route.ts';
import { bodyOf, type EdgeRig, numbered, replyTo, startEdge } from './edge-rig.ts';

const FILE = numbered(20 * 1024 * 1024);
const PIECE_BYTES = 100_000;

/** What the last download saw. */
interface Seen {
  writer: BodyWriter;
  /** The most that ever waited in the writer. */
  maxBuffered: number;
  /** Bytes that were read from the file. */
  read: number;
  /** Resolves when the route has nothing more to do. */
  done: PromiseWithResolvers<void>;
  /** Resolves when the client took less than was there. */
  heldUp: PromiseWithResolvers<void>;
}

let seen: Seen;

function rangeOf(from: number, end: number): Record<string, string> {
  return from === 0 ? {} : { 'content-range': `bytes ${from}-${end - 1}/${FILE.length}` };
}

const download = (path: string, reply: { from?: number; length?: number | null; drop?: number }): Route => ({
  method: 'GET',
  path,
  maxBodyBytes: 0,
  handle: () => {
    const { from = 0, length = FILE.length, drop = 0 } = reply;
    const end = from + (length ?? FILE.length) - drop;
    return {
      status: from > 0 ? 206 : 200,
      headers: rangeOf(from, end),
      length,
      async stream(writer) {
        seen = {
          ...{ writer, maxBuffered: 0, read: 0 },
          ...{ done: Promise.withResolvers(), heldUp: Promise.withResolvers() },
        };
        for (let at = from; at < end && !writer.signal.aborted; at += PIECE_BYTES) {
          const piece = FILE.subarray(at, Math.min(at + PIECE_BYTES, end));
          seen.read += piece.length;
          const goesOn = writer.write(piece);
          seen.maxBuffered = Math.max(seen.maxBuffered, writer.buffered());
          if (goesOn) continue;
          seen.heldUp.resolve();
          await writer.drained();
        }
        writer.end();
        seen.done.resolve();
      },
    };
  },
});

const routes: Route[] = [
  download('/file', {}),
  download('/range', { from: 1_000_001, length: 2_000_003 }),
  download('/chunked', { length: null }),
  download('/short', { length: 200_000, drop: 1 }),
  download('/empty', { length: 0 }),
  {
    method: 'GET',
    path: '/at-once',
    maxBodyBytes: 0,
    handle: () => ({
      status: 200,
      headers: {},
      length: FILE.length,
      stream: (writer) => {
        writer.write(FILE);
        writer.end();
      },
    }),
  },
  {
    method: 'GET',
    path: '/fails',
    maxBodyBytes: 0,
    handle: () => ({
      status: 200,
      headers: {},
      length: 10,
      stream: async (writer) => {
        writer.write('12345');
        throw new Error('the disk is gone');
      },
    }),
  },
  {
    method: 'GET',
    path: '/unreadable',
    maxBodyBytes: 0,
    handle: () => ({
      status: 206,
      headers: {
        etag: '"1"',
        'content-range': 'bytes 0-9/10',
        'access-control-allow-origin': 'https://a.example',
      },
      length: 10,
      stream: async () => {
        await setImmediate();
        throw new BusError('UNAVAILABLE', 'the disk is gone');
      },
    }),
  },
  {
    method: 'GET',
    path: '/longer',
    maxBodyBytes: 0,
    handle: () => ({
      status: 200,
      headers: {},
      length: 3,
      stream: (writer) => {
        writer.write('12');
        writer.write('34');
      },
    }),
  },
];

let rig: EdgeRig;

beforeAll(async () => {
  rig = await startEdge(routes);
});

afterAll(() => rig.edge.drain(0));

async function get(path: string, method = 'GET') {
  const reply = await replyTo(rig.begin(method, path).end());
  return { status: reply.statusCode, headers: reply.headers, body: await bodyOf(reply) };
}

describe('a reply of known length', () => {
  it('comes byte for byte, with its length and the headers of every reply', async () => {
    const { status, headers, body } = await get('/file');
    expect([status, headers['content-length'], headers['transfer-encoding']]).toEqual([
      200,
      String(FILE.length),
      undefined,
    ]);
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(body.equals(FILE)).toBe(true);
  });

  it('holds no more than one piece for a reader who stops, and is whole when they go on', async () => {
    const reply = await replyTo(rig.begin('GET', '/file').end());
    await seen.heldUp.promise;
    expect(seen.read).toBeLessThan(FILE.length);
    expect((await bodyOf(reply)).equals(FILE)).toBe(true);
    expect(seen.maxBuffered).toBeLessThanOrEqual(PIECE_BYTES);
    await seen.done.promise;
    expect(seen.writer.buffered()).toBe(0);
  });

  it('may be written in one piece that no buffer holds', async () => {
    expect((await get('/at-once')).body.equals(FILE)).toBe(true);
  });

  it('may be a part of a file', async () => {
    const { status, headers, body } = await get('/range');
    expect([status, headers['content-length']]).toEqual([206, '2000003']);
    expect(headers['content-range']).toBe(`bytes 1000001-3000003/${FILE.length}`);
    expect(body.equals(FILE.subarray(1_000_001, 3_000_004))).toBe(true);
  });

  it('of which not even the first piece can be read is 503 in JSON, which a page may read', async () => {
    const { status, headers, body } = await get('/unreadable');
    expect([status, JSON.parse(body.toString()).code]).toEqual([503, 'UNAVAILABLE']);
    expect(headers).toMatchObject({
      'content-type': expect.stringContaining('application/json'),
      'content-length': String(body.length),
      'access-control-allow-origin': 'https://a.example',
    });
    expect(headers).not.toHaveProperty('etag');
    expect(headers).not.toHaveProperty('content-range');
  });

  it('may be empty', async () => {
    const { status, headers, body } = await get('/empty');
    expect([status, headers['content-length'], body.length]).toEqual([200, '0', 0]);
  });

  it('tells HEAD its length, and begins nothing', async () => {
    const before = seen;
    const { status, headers, body } = await get('/range', 'HEAD');
    expect([status, headers['content-length'], body.length]).toEqual([206, '2000003', 0]);
    expect(headers['content-range']).toBe(`bytes 1000001-3000003/${FILE.length}`);
    expect(seen).toBe(before);
  });

  it.each(['/short', '/fails', '/longer'])(
    'that does not come to its length ends the connection: %s',
    async (path) => {
      await expect(get(path)).rejects.toMatchObject({ code: 'ECONNRESET' });
      expect((await get('/range')).status).toBe(206);
    },
  );

  it('leaves the connection to the next request', async () => {
    const client = rig.raw();
    client.socket.write('GET /range HTTP/1.1\r\nhost: x\r\n\r\n');
    await client.saw('content-range');
    client.socket.write('GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n');
    await client.saw('404 Not Found');
    client.socket.destroy();
  });

  it('stops when the client goes in the middle', async () => {
    const asked = rig.begin('GET', '/file').end();
    await replyTo(asked);
    await seen.heldUp.promise;
    asked.destroy();
    await seen.done.promise;
    expect(seen.writer.signal.aborted).toBe(true);
    expect(seen.read).toBeLessThan(FILE.length);
    expect([seen.writer.write('late'), seen.writer.buffered()]).toEqual([true, 0]);
  });

  it('is cut off when the client takes nothing for 30 s', async () => {
    const reply = await replyTo(rig.begin('GET', '/file').end());
    await seen.heldUp.promise;
    const { writer } = seen;
    let [second, tookAt, left] = [0, 0, ''];
    while (!writer.signal.aborted) {
      // The kernels' buffers take a little more at first.
      const now = `${seen.read} ${writer.buffered()}`;
      if (now !== left) tookAt = second;
      left = now;
      second += 1;
      rig.edge.tick(second * 1_000);
      await setImmediate();
    }
    expect(second - tookAt).toBeGreaterThanOrEqual(STALL_SECONDS);
    await expect(bodyOf(reply)).rejects.toMatchObject({ code: 'ECONNRESET' });
  });
});

describe('a reply of unknown length', () => {
  it('comes byte for byte, to a reader who stops and goes on', async () => {
    const reply = await replyTo(rig.begin('GET', '/chunked').end());
    await seen.heldUp.promise;
    expect(reply.headers).toMatchObject({ 'transfer-encoding': 'chunked' });
    expect(reply.headers['content-length']).toBeUndefined();
    expect((await bodyOf(reply)).equals(FILE)).toBe(true);
    // One write, and what uWebSockets may still have of it.
    expect(seen.maxBuffered).toBeLessThanOrEqual(2 * PIECE_BYTES);
  });

  it('tells HEAD no length', async () => {
    const { status, headers } = await get('/chunked', 'HEAD');
    expect([status, headers['content-length']]).toEqual([200, undefined]);
  });
});
