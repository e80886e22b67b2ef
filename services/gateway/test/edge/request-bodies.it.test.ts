import { execFile } from 'node:child_process';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BodyTooLarge, json, type Route } from '../../src/rest/route.ts';
import { bodyOf, type EdgeRig, numbered, replyTo, startEdge } from './edge-rig.ts';

const FILE = numbered(20 * 1024 * 1024);

/** What the reader of the last streamed body does and saw. */
let reader: {
  begun: PromiseWithResolvers<void>;
  /** The reader waits for it before its first piece. */
  mayRead: PromiseWithResolvers<void>;
  pieces: Buffer[];
  ended: PromiseWithResolvers<string>;
};

const size = () => reader.pieces.reduce((sum, piece) => sum + piece.length, 0);

const upload = (path: string, more: Partial<Route> = {}): Route => ({
  method: 'PATCH',
  path,
  maxBodyBytes: FILE.length,
  streamsBody: true,
  async handle({ pieces, body, signal }) {
    reader.begun.resolve();
    await reader.mayRead.promise;
    for await (const piece of pieces) reader.pieces.push(piece as Buffer);
    reader.ended.resolve(signal.aborted ? 'aborted' : 'whole');
    return json(200, { size: size(), body: body.length });
  },
  ...more,
});

const routes: Route[] = [
  upload('/upload'),
  upload('/small', { maxBodyBytes: 100_000 }),
  upload('/judges', {
    maxBodyBytes: 100_000,
    async handle({ pieces }) {
      try {
        for await (const piece of pieces) reader.pieces.push(piece as Buffer);
      } catch (err) {
        return json(200, { tooLarge: err instanceof BodyTooLarge, size: size() });
      }
      return json(200, { size: size() });
    },
  }),
  upload('/refuses', { handle: () => json(401, { code: 'AUTH_REQUIRED' }) }),
  upload('/peeks', {
    async handle({ pieces }) {
      for await (const piece of pieces) {
        reader.pieces.push(piece as Buffer);
        break;
      }
      return json(200, { size: size() });
    },
  }),
  upload('/fails', {
    async handle({ pieces }) {
      for await (const _piece of pieces) throw new Error('the disk is full');
      return json(200, {});
    },
  }),
  {
    method: 'POST',
    path: '/whole',
    maxBodyBytes: 1_000,
    handle: ({ body }) => json(200, { size: body.length }),
  },
  {
    method: 'POST',
    path: '/both-ways',
    maxBodyBytes: FILE.length,
    streamsBody: true,
    handle: ({ pieces }) => ({
      status: 200,
      headers: {},
      length: 3,
      async stream(writer) {
        for await (const piece of pieces) reader.pieces.push(piece as Buffer);
        writer.write('abc');
      },
    }),
  },
];

let rig: EdgeRig;

beforeAll(async () => {
  rig = await startEdge(routes);
});

beforeEach(() => {
  const mayRead = Promise.withResolvers<void>();
  mayRead.resolve();
  reader = { begun: Promise.withResolvers(), mayRead, pieces: [], ended: Promise.withResolvers() };
});

afterAll(() => rig.edge.drain(0));

/** With Content-Length, unless it is told to send chunks. */
async function send(path: string, body: Buffer, { method = 'PATCH', chunked = false } = {}) {
  const headers = chunked ? { 'transfer-encoding': 'chunked' } : { 'content-length': body.length };
  const asked = rig.begin(method, path, { headers });
  const reply = replyTo(asked);
  asked.end(body);
  const answered = await reply;
  const text = String(await bodyOf(answered));
  return {
    status: answered.statusCode,
    connection: answered.headers.connection,
    body: JSON.parse(text),
  };
}

describe('a streamed body', () => {
  it.each([false, true])(
    'comes byte for byte, in pieces that stay as they are; chunked: %s',
    async (chunked) => {
      const { body } = await send('/upload', FILE, { chunked });
      expect(body).toEqual({ size: FILE.length, body: 0 });
      expect(Buffer.concat(reader.pieces).equals(FILE)).toBe(true);
      expect(reader.pieces.length).toBeGreaterThan(1);
    },
  );

  it('holds the client up while its reader is busy', async () => {
    reader.mayRead = Promise.withResolvers();
    const asked = rig.begin('PATCH', '/upload', { headers: { 'content-length': FILE.length } });
    const reply = replyTo(asked);
    let sent = 0;
    // Goes on until the kernels' buffers are full, too.
    while (asked.write(FILE.subarray(sent, sent + 65_536)) || sent === 0) sent += 65_536;
    sent += 65_536;
    asked.end(FILE.subarray(sent));
    await reader.begun.promise;
    reader.mayRead.resolve();
    expect(JSON.parse(String(await bodyOf(await reply)))).toMatchObject({ size: FILE.length });
    expect(Buffer.concat(reader.pieces).equals(FILE)).toBe(true);
  });

  it('may be empty', async () => {
    expect((await send('/upload', Buffer.alloc(0))).body).toEqual({ size: 0, body: 0 });
  });

  it('ends when the client goes away', async () => {
    const asked = rig.begin('PATCH', '/upload', { headers: { 'content-length': FILE.length } });
    asked.on('error', () => {});
    asked.write(FILE.subarray(0, 300_000));
    await reader.begun.promise;
    asked.destroy();
    expect(await reader.ended.promise).toBe('aborted');
    expect(size()).toBeLessThanOrEqual(300_000);
  });

  it('ends when the client goes away while it is held up', async () => {
    reader.mayRead = Promise.withResolvers();
    const asked = rig.begin('PATCH', '/upload', { headers: { 'content-length': FILE.length } });
    asked.on('error', () => {});
    asked.write(FILE.subarray(0, 15_000_000));
    await reader.begun.promise;
    asked.destroy();
    reader.mayRead.resolve();
    expect(await reader.ended.promise).toBe('aborted');
  });

  it('above the limit is refused at once, and the client reads why', async () => {
    const { status, connection, body } = await send('/small', FILE);
    expect([status, connection, body.code]).toEqual([413, 'close', 'BODY_TOO_LARGE']);
    expect(reader.pieces).toEqual([]);
  });

  it('above the limit, of a length that nobody was told, is refused when it gets there', async () => {
    const { status, connection, body } = await send('/small', FILE, { chunked: true });
    expect([status, connection, body.code]).toEqual([413, 'close', 'BODY_TOO_LARGE']);
    expect(size()).toBeLessThanOrEqual(100_000);
  });

  it('above the limit is told to a route that wants to know', async () => {
    const { status, body } = await send('/judges', FILE, { chunked: true });
    expect([status, body.tooLarge]).toEqual([200, true]);
  });

  it('may be answered with a stream', async () => {
    const asked = rig.begin('POST', '/both-ways', { headers: { 'content-length': 300_000 } });
    const reply = replyTo(asked);
    asked.end(FILE.subarray(0, 300_000));
    expect(String(await bodyOf(await reply))).toBe('abc');
  });
});

describe('a route that answers before it has read the body', () => {
  it.each([
    ['/refuses', 401],
    ['/peeks', 200],
    ['/fails', 500],
  ])('leaves the connection to the next request: %s', async (path, status) => {
    // A client of Node would give up a connection on which it is answered too early.
    const client = rig.raw();
    client.socket.write(`PATCH ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: 5000000\r\n\r\n`);
    client.socket.write(FILE.subarray(0, 3_000_000));
    await client.saw(`HTTP/1.1 ${status} `);
    reader.pieces = [];
    await new Promise<void>((resolve) => client.socket.write(FILE.subarray(0, 2_000_000), () => resolve()));
    client.socket.write('PATCH /upload HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabc');
    await client.saw('{"size":3,"body":0}');
    client.socket.destroy();
    expect(client.text).not.toContain('connection: close');
  });

  it('ends the connection of a client that says no length', async () => {
    expect(await send('/refuses', FILE, { chunked: true })).toMatchObject({
      status: 401,
      connection: 'close',
    });
  });
});

describe('a client that expects 100 Continue', () => {
  const curl = (path: string, bytes: number) => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const options = ['-sS', '-X', 'PATCH', '-H', 'Expect: 100-continue', '--data-binary', '@-'];
    const asked = execFile(
      'curl',
      [...options, '-w', ' %{http_code}', `http://127.0.0.1:${rig.port}${path}`],
      (err, out) => (err ? reject(err) : resolve(out)),
    );
    asked.stdin?.on('error', () => {});
    asked.stdin?.end(FILE.subarray(0, bytes));
    return promise;
  };

  it('is told to go on, and its body is read', async () => {
    expect(await curl('/upload', 3_000_000)).toBe('{"size":3000000,"body":0} 200');
  });

  it('reads why it was refused', async () => {
    expect(await curl('/small', 3_000_000)).toMatch(/BODY_TOO_LARGE.* 413$/);
    expect(await curl('/refuses', 3_000_000)).toBe('{"code":"AUTH_REQUIRED"} 401');
  });
});

describe('a body that is read whole', () => {
  it('is refused above its limit, with and without a length, and the next request is served', async () => {
    for (const chunked of [false, true]) {
      const refused = await send('/whole', FILE, { method: 'POST', chunked });
      expect(refused).toMatchObject({ status: 413, connection: 'close', body: { code: 'BODY_TOO_LARGE' } });
    }
    expect((await send('/whole', FILE.subarray(0, 1_000), { method: 'POST' })).body).toEqual({ size: 1_000 });
  });

  it('is not handed over when the client goes in the middle', async () => {
    const client = rig.raw();
    client.socket.write('POST /whole HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\nabc');
    client.socket.end();
    await client.closed;
    expect(client.text).toBe('');
  });
});

describe('requests in one go', () => {
  const twice = (request: string) => `${request}${request}`;

  it('are answered one after the other, where the answer is at hand', async () => {
    const client = rig.raw();
    client.socket.write(twice('POST /whole HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabc'));
    await client.saw('{"size":3}', 2);
    client.socket.destroy();
  });

  it('end the connection where it is not, and nothing else', async () => {
    const client = rig.raw();
    reader.mayRead = Promise.withResolvers();
    client.socket.write(twice('PATCH /upload HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabc'));
    await client.closed;
    reader.mayRead.resolve();
    expect(await reader.ended.promise).toBe('aborted');
    expect(client.text).toBe('');
    expect((await send('/upload', FILE.subarray(0, 5))).status).toBe(200);
  });
});
