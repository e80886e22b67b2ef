import { afterEach, describe, expect, it } from 'vitest';
import type { Verdict } from '../../src/ports.ts';
import { type ClamdOptions, createClamdScanner } from '../../src/scan/clamd-scanner.ts';
import { noScanner } from '../../src/scan/no-scanner.ts';
import { type Script, type ScriptedClamd, startScriptedClamd } from './scripted-clamd.ts';

let server: ScriptedClamd | undefined;

afterEach(async () => {
  await server?.stop();
  server = undefined;
});

async function scanner(script: Script, options: Partial<ClamdOptions> = {}) {
  server = await startScriptedClamd(script);
  return { server, scanner: createClamdScanner({ address: server.address, ...options }) };
}

async function scan(script: Script, parts: (Uint8Array | string)[], options: Partial<ClamdOptions> = {}) {
  const started = await scanner(script, options);
  const stream = await started.scanner.begin();
  for (const part of parts) await stream.push(Buffer.from(part));
  return stream.end();
}

const OK: Script = { end: (socket) => socket.end('stream: OK\0') };

function reason(verdict: Verdict): string {
  return verdict.verdict === 'unknown' ? verdict.reason : `no, ${verdict.verdict}`;
}

/** Waits until the connection, which has come, is gone. */
async function closed(of: ScriptedClamd): Promise<void> {
  await of.connected(1);
  while (of.open > 0) await new Promise((resolve) => setImmediate(resolve));
}

describe('a scan', () => {
  it('[scan/protocol] sends every byte in its order, and takes OK for clean', async () => {
    const big = Buffer.alloc(3_000_000, 'abc');
    expect(await scan(OK, ['first ', '', big, 'last'])).toEqual({ verdict: 'clean' });
    expect(server?.files[0]?.equals(Buffer.concat([Buffer.from('first '), big, Buffer.from('last')]))).toBe(
      true,
    );
  });

  it('takes no empty part for the end of the file', async () => {
    expect(await scan(OK, ['', '', 'x'])).toEqual({ verdict: 'clean' });
    expect(server?.files[0]?.toString()).toBe('x');
  });

  it('names what was found', async () => {
    const verdict = await scan({ end: (socket) => socket.end('stream: A.Virus FOUND\0') }, ['x']);
    expect(verdict).toEqual({ verdict: 'infected', signature: 'A.Virus' });
  });

  it('understands an answer that comes byte by byte', async () => {
    const slowly = (socket: import('node:net').Socket) => {
      socket.setNoDelay(true);
      const bytes = [...'stream: OK\0'];
      const next = () => {
        const byte = bytes.shift();
        if (byte !== undefined) socket.write(byte, next);
      };
      next();
    };
    expect(await scan({ end: slowly }, ['x'])).toEqual({ verdict: 'clean' });
  });

  it('gives the same verdict to whoever asks again', async () => {
    const started = await scanner(OK);
    const stream = await started.scanner.begin();
    await stream.push(Buffer.from('x'));
    expect(await Promise.all([stream.end(), stream.end()])).toEqual([
      { verdict: 'clean' },
      { verdict: 'clean' },
    ]);
    stream.abort();
    expect(await stream.end()).toEqual({ verdict: 'clean' });
  });
});

describe('a scan is unknown', () => {
  it.each([
    ['an error', { end: (socket) => socket.end('INSTREAM size limit exceeded. ERROR\0') }],
    ['OK without its end', { end: (socket) => socket.end('stream: OK') }],
    ['nothing', { end: (socket) => socket.end() }],
    ['a reset', { end: (socket) => socket.resetAndDestroy() }],
    ['an endless answer', { end: (socket) => socket.write('x'.repeat(100_000)) }],
    ['a reset before the end', { part: (socket) => socket.resetAndDestroy() }],
    ['a reset at once', { connected: (socket) => socket.resetAndDestroy() }],
  ] as [string, Script][])('where the scanner answers with %s', async (_, script) => {
    const started = await scanner(script);
    const stream = await started.scanner.begin();
    await stream.push(Buffer.alloc(100_000));
    expect((await stream.end()).verdict).toBe('unknown');
    // What comes after a failure is dropped, and nobody waits for it.
    await stream.push(Buffer.alloc(1_000_000));
  });

  it.each(['stream: OK\0', 'stream: A.Virus FOUND\0', 'INSTREAM size limit exceeded. ERROR\0'])(
    'where the scanner answers %j before it has the whole file',
    async (answer) => {
      const started = await scanner({ part: (socket) => socket.write(answer) });
      const stream = await started.scanner.begin();
      await stream.push(Buffer.from('x'));
      await closed(started.server);
      expect(reason(await stream.end())).toContain(JSON.stringify(answer.slice(0, -1)));
    },
  );

  it('where its limit is reached while the file is being sent', async () => {
    const started = await scanner({
      part: (socket, bytes) => {
        if (bytes > 1_000_000) socket.end('INSTREAM size limit exceeded. ERROR\0');
      },
    });
    const stream = await started.scanner.begin();
    for (let part = 0; part < 20; part += 1) await stream.push(Buffer.alloc(500_000));
    expect((await stream.end()).verdict).toBe('unknown');
  });

  it('where it does not answer in time', async () => {
    expect(reason(await scan({}, ['x'], { replyTimeoutMs: 20 }))).toBe('the scanner is silent');
  });

  it('where it stops reading', async () => {
    const verdict = await scan({ connected: (socket) => socket.pause() }, [Buffer.alloc(30_000_000)], {
      idleTimeoutMs: 50,
    });
    expect(reason(verdict)).toBe('the scanner is silent');
  });

  it('where the next part does not come in time', async () => {
    const started = await scanner(OK, { idleTimeoutMs: 20 });
    const stream = await started.scanner.begin();
    await closed(started.server);
    expect(reason(await stream.end())).toBe('the scanner is silent');
  });

  it('where nobody listens, and where the socket is no socket', async () => {
    const started = await scanner(OK);
    await started.server.stop();
    server = undefined;
    for (const address of [started.server.address, { path: '/nonexistent/clamd.ctl' }]) {
      const gone = createClamdScanner({ address });
      const stream = await gone.begin();
      await stream.push(Buffer.from('x'));
      expect(reason(await stream.end())).toMatch(/can't be reached: (ECONNREFUSED|ENOENT)/);
      expect(await gone.ping()).toMatch(/can't be reached: (ECONNREFUSED|ENOENT)/);
      stream.abort();
    }
  });

  it('where it was given up, which closes the connection', async () => {
    const started = await scanner(OK);
    const stream = await started.scanner.begin();
    await stream.push(Buffer.from('x'));
    stream.abort();
    expect(reason(await stream.end())).toBe('the scan was given up');
    await closed(started.server);
  });
});

describe('scans at once', () => {
  it('are as many as may be; the next begins when one has ended, however it ended', async () => {
    const started = await scanner(OK, { maxScans: 2 });
    const first = await started.scanner.begin();
    const second = await started.scanner.begin();
    const third = started.scanner.begin();
    const fourth = started.scanner.begin();
    await started.server.connected(2);
    expect(started.server.files).toHaveLength(2);
    expect(await first.end()).toEqual({ verdict: 'clean' });
    expect(await (await third).end()).toEqual({ verdict: 'clean' });
    second.abort();
    second.abort();
    expect(await (await fourth).end()).toEqual({ verdict: 'clean' });
    // Giving up twice has not made room for three.
    const again = [await started.scanner.begin(), await started.scanner.begin()];
    const waits = started.scanner.begin();
    await started.server.connected(6);
    expect(started.server.files).toHaveLength(6);
    for (const stream of again) stream.abort();
    (await waits).abort();
  });

  it('that fail to connect leave their place', async () => {
    const started = await scanner(OK, { maxScans: 1 });
    await started.server.stop();
    server = undefined;
    for (let time = 0; time < 3; time += 1)
      expect((await (await started.scanner.begin()).end()).verdict).toBe('unknown');
  });

  it('beyond those that may wait are unknown at once', async () => {
    const started = await scanner(OK, { maxScans: 1, maxWaiting: 1 });
    const first = await started.scanner.begin();
    const waits = started.scanner.begin();
    const refused = await started.scanner.begin();
    await refused.push(Buffer.from('x'));
    expect(reason(await refused.end())).toBe('too many files wait for the scanner');
    first.abort();
    (await waits).abort();
  });
});

describe('ping', () => {
  it.each([
    ['PONG\0', null],
    ['PONG!', 'what listens is no clamd: it answered "PONG!"'],
    ['no\0', 'the scanner closed the connection'],
    ['', 'the scanner closed the connection'],
  ])('that is answered %j has this wrong with it: %s', async (answer, reason) => {
    const started = await scanner({ connected: (socket) => socket.end(answer) });
    expect(await started.scanner.ping()).toBe(reason);
  });

  it('says so where nobody answers in time', async () => {
    const started = await scanner({}, { connectTimeoutMs: 20 });
    expect(await started.scanner.ping()).toBe('the scanner is silent');
  });
});

it('noScanner takes everything for clean', async () => {
  const stream = await noScanner.begin();
  await stream.push(Buffer.from('x'));
  expect(await stream.end()).toEqual({ verdict: 'clean' });
  stream.abort();
});
