/** logs-v1 as seed 003 tells it: handshake, frames, event stream, and who is let in. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { OWN_SERVICES, SUBJECTS } from '@natter/proto';
import { connect, type Frame, needs, type Probe, type Stack, startStack } from '@natter/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { onBus } from '../src/log-broker.ts';
import { openLogEvents, StreamRefused } from '../src/log-event-stream.ts';
import { askLogs, LOGS_KEY, makeKey, readersHere, sendLines, storeLines } from '../src/log-http.ts';
import { LOG_WIRES, LogReader } from '../src/log-reader.ts';
import { reportFailures } from '../src/report-failures.ts';
import { runPython } from '../src/seed-clients.ts';
import { codeBelow, seedDocument } from '../src/seed-document.ts';

/** Frames of a connection, and requests of a key. */
const RATE = 100;
const STREAM = '/api/get-logs-stream';
const WAIT = { timeout: 20_000, interval: 20 };

let stack: Stack;
let admin: string;
beforeAll(async () => {
  stack = await startStack({
    uploads: 1,
    env: { LOGS_API_KEY: LOGS_KEY, WS_RATE_LIMIT_REQUESTS: String(RATE), WS_RATE_LIMIT_WINDOW: '3600' },
  });
  admin = await stack.token({ sub: 'root', roles: ['admin'] });
});
afterAll(() => stack?.stop());
reportFailures(() => stack);

const open: (Probe | LogReader)[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
  await readersHere(stack, 0);
});

function keep<T extends Probe | LogReader>(one: T): T {
  open.push(one);
  return one;
}

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

async function socket(query = '', key = LOGS_KEY): Promise<Probe> {
  return keep(await connect(`${stack.url()}/ws/logs${query}`, { headers: bearer(key) }));
}

/** Both wires, open; nothing is lost from now on. */
async function readers(category: string, key = LOGS_KEY): Promise<LogReader[]> {
  const both = LOG_WIRES.map((wire) => keep(new LogReader(stack, wire, { key, query: { category } })));
  for (const reader of both) await reader.open();
  await readersHere(stack, open.length);
  return both;
}

const say = (...texts: string[]) =>
  storeLines(
    stack,
    texts.map((msg) => ({ msg })),
  );

/** A program of others that reads; what it printed so far. */
function run(command: string, ...args: string[]) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  const ended = new Promise<void>((resolve) => void child.once('close', () => resolve()));
  const stop = () => {
    child.kill();
    return ended;
  };
  return { printed: () => printed, stop };
}

describe('/ws/logs', () => {
  it('[logs/websocket] [logs/handshake] [logs/key] [logs/frame] [logs/line-only] takes the handshake of the seed and sends the frame of the seed', async () => {
    const [, url = '', header = '', value = ''] =
      /GET (ws:\S+)\n\s*(Authorization): (.*)\n/.exec(seedDocument('003')) ?? [];
    const probe = keep(
      await connect(url.replace('ws://localhost:3000', stack.url()), {
        headers: { [header]: value.replace('<API_KEY>', LOGS_KEY) },
      }),
    );
    await readersHere(stack, 1);
    const frame = JSON.parse(codeBelow('1. WebSocket Connection for Logs', '003'));
    await say(frame.log);
    expect(await probe.next(({ log }) => log === frame.log)).toEqual(frame);
    expect(Object.keys(frame)).toEqual(['log']);
  });

  it('[logs/connected] [logs/persistent] sends nothing but lines over a connection that stays open', async () => {
    const probe = await socket('?category=persistent');
    await readersHere(stack, 1);
    const texts = Array.from({ length: 30 }, (_, at) => `Line ${at}`);
    // Each is sent after the one before has come.
    for (const text of texts) {
      await storeLines(stack, [{ msg: text, category: 'persistent' }]);
      expect(await probe.next()).toEqual({ log: text });
    }
    expect(probe.frames).toEqual(texts.map((log) => ({ log })));
    expect(probe.closedWith).toBeNull();
  });

  it('[logs/live] [logs/every-service] [logs/format-full] sends what gateway, agent, auth and uploads log, in full', async () => {
    const probe = await socket('?format=full&tail=1000');
    const services = () => [...new Set(probe.frames.map(({ service }) => service))].toSorted();
    await expect
      .poll(services, WAIT)
      .toEqual(expect.arrayContaining(['agent', 'auth', 'gateway', 'uploads']));
    for (const frame of probe.frames)
      expect(frame).toEqual({
        log: expect.any(String),
        seq: expect.any(Number),
        level: expect.stringMatching(/^(trace|debug|info|warn|error|fatal)$/),
        service: expect.any(String),
        category: expect.any(String),
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        trace_id: frame.trace_id === null ? null : expect.stringMatching(/^[0-9a-f]{32}$/),
        fields: expect.any(Object),
      });
    // Something that a service does now, and logs with the trace of whoever asked for it.
    const trace = randomBytes(16).toString('hex');
    const made = await askLogs(`${stack.httpUrl()}/api/v1/api-keys`, {
      key: admin,
      body: JSON.stringify({ name: 'traced', scopes: ['logs:read'] }),
      headers: { traceparent: `00-${trace}-00f067aa0ba902b7-01` },
    });
    expect(await probe.next(({ trace_id }) => trace_id === trace)).toMatchObject({
      service: 'gateway',
      level: 'info',
      fields: { id: made.body.id, name: 'traced', scopes: ['logs:read'], by: 'root' },
    });
  });

  it('[logs/subject] shows as service, level and category what stands in the subject of a line, whoever published it', async () => {
    const probe = await socket('?format=full&tail=1000');
    await storeLines(stack, [{ msg: 'Sold out', service: 'shop', level: 'warn', category: 'orders' }]);
    await onBus(stack, 'log-writer', (bus) => bus.append('log.printer.error.paper', '{"msg":"Empty"}'));
    for (const text of ['Sold out', 'Empty']) await probe.next(({ log }) => log === text);
    const subjects = await onBus(stack, 'gateway', async ({ stored }) => {
      const all = await stored.from('LOGS', SUBJECTS.allLogLines, 1, 1_000);
      return new Map(all.map(({ seq, subject }) => [seq, subject]));
    });
    const of = ({ service, level, category }: Frame) => `log.${service}.${level}.${category}`;
    for (const frame of probe.frames) expect(of(frame)).toBe(subjects.get(frame.seq));
    const shown = new Set(probe.frames.map(of));
    for (const service of OWN_SERVICES) expect(shown).toContain(`log.${service}.info.general`);
    for (const subject of ['log.shop.warn.orders', 'log.printer.error.paper'])
      expect(shown).toContain(subject);
  });

  it('[logs/many-clients] [logs/simultaneous] [logs/sse-alternative] sends each line once to each of twenty clients, each with a key of its own', async () => {
    const keys = await Promise.all(Array.from({ length: 10 }, () => makeKey(stack, admin, 'logs:read')));
    const crowd: LogReader[] = [];
    for (const { key } of keys) crowd.push(...(await readers('crowd', key)));
    await storeLines(
      stack,
      Array.from({ length: 100 }, (_, at) => ({ msg: `Line ${at}`, category: 'crowd' })),
    );
    await storeLines(stack, [{ msg: 'Last', category: 'crowd' }]);
    await Promise.all(crowd.map((reader) => reader.untilLine('Last')));
    const [first] = crowd;
    expect(first?.texts).toHaveLength(101);
    expect(new Set(first?.texts).size).toBe(101);
    for (const reader of crowd) {
      expect(reader.lines).toEqual(first?.lines);
      expect([reader.gaps, reader.others]).toEqual([[], []]);
    }
  });

  it('[logs/errors] answers a bad frame with an error, and goes on; a frame that is too large ends it', async () => {
    const probe = await socket('?category=errors');
    await readersHere(stack, 1);
    const bad: [sent: unknown, code: string, detail?: string][] = [
      ['no JSON', 'INVALID_JSON'],
      [new Uint8Array([1, 2, 3]), 'INVALID_JSON'],
      ['[1]', 'INVALID_JSON'],
      [{}, 'UNKNOWN_TYPE'],
      [{ ack: 'x' }, 'INVALID_FIELD', 'ack'],
      [{ ack: -1 }, 'INVALID_FIELD', 'ack'],
      // It has no name under which it could be kept.
      [{ ack: 1 }, 'INVALID_FIELD', 'ack'],
    ];
    for (const [sent, code, detail] of bad) {
      probe.send(sent);
      expect(await probe.next()).toEqual({ error: expect.any(String), code, detail });
    }
    await storeLines(stack, [{ msg: 'After all of them', category: 'errors' }]);
    expect(await probe.next()).toEqual({ log: 'After all of them' });
    probe.send('x'.repeat(8_192));
    expect(await probe.closing()).toEqual({ code: 1009, reason: 'Frame too large' });
  });

  it('[logs/errors] closes with 1012 when an admin disconnects all', async () => {
    const probe = await socket();
    await readersHere(stack, 1);
    await askLogs(`${stack.httpUrl()}/api/disconnect-all-websockets`, { key: admin });
    expect((await probe.closing()).code).toBe(1012);
  });
});

describe('the event stream', () => {
  it('[logs/over-http] [logs/sse-get] [logs/sse-live] [logs/sse-format] [logs/sse-over-http] [logs/sse-plain-client] is read by curl: status, type and events as in the seed, line by line', async () => {
    const curl = run(
      'curl',
      '-sSNi',
      '-H',
      `Authorization: Bearer ${LOGS_KEY}`,
      `${stack.httpUrl()}${STREAM}`,
    );
    try {
      await readersHere(stack, 1);
      const example = codeBelow('3. Stream Logs via HTTP', '003').split('\n');
      const frames = example
        .filter((line) => line.startsWith('data: '))
        .map((line) => JSON.parse(line.slice(6)));
      expect(frames).toHaveLength(2);
      const shown = () => {
        const [, ...blocks] = curl.printed().replaceAll('\r\n', '\n').split('\n\n');
        const data = blocks.flatMap((block) => block.split('\n')).filter((line) => line.startsWith('data: '));
        return data.map((line) => JSON.parse(line.slice(6)));
      };
      // The second is sent once the first has come out of curl, whose request is still being answered.
      for (const frame of frames) {
        await say(frame.log);
        await expect.poll(shown, WAIT).toContainEqual(frame);
      }
      const [status = '', ...headers] = curl.printed().split('\r\n\r\n')[0]?.split('\r\n') ?? [];
      expect(status).toMatch(/^HTTP\/1\.1 200 OK/);
      expect(example[0]).toBe('HTTP/1.1 200 OK');
      expect(headers.join('\n')).toMatch(/^content-type: text\/event-stream/im);
    } finally {
      await curl.stop();
    }
  });

  it('[logs/sse-alternative] has the same lines as the socket, without sequences in their data', async () => {
    const [onSocket, onStream] = await readers('both');
    await storeLines(stack, [{ msg: 'For both', category: 'both' }]);
    for (const reader of [onSocket, onStream]) await reader?.untilLine('For both');
    expect(onStream?.lines).toEqual(onSocket?.lines);
    const plain = await openLogEvents(`${stack.httpUrl()}${STREAM}?category=both&tail=1`, bearer(LOGS_KEY));
    await expect.poll(() => plain.events, WAIT).toHaveLength(1);
    expect(plain.events[0]?.data).toEqual({ log: 'For both' });
    plain.cut();
  });
});

describe('a client of the seed in Python', () => {
  it('[logs/websocket] [logs/key] [logs/live] connects with its header and prints the line, or the error', async ({
    skip,
  }) => {
    const why = needs('python-websockets');
    skip(why !== null, why ?? '');
    const program = (key: string) => `
import asyncio, inspect, json, websockets
parameters = inspect.signature(websockets.connect).parameters
option = "additional_headers" if "additional_headers" in parameters else "extra_headers"
async def main():
    headers = {option: {"Authorization": "Bearer ${key}"}}
    async with websockets.connect("${stack.url()}/ws/logs", **headers) as socket:
        try:
            async for message in socket:
                print(message, flush=True)
                if json.loads(message).get("log") == "Last": return
        except websockets.ConnectionClosed: pass
        print("closed", socket.close_code, flush=True)
asyncio.run(main())
`;
    const python = runPython(program(LOGS_KEY));
    await readersHere(stack, 1);
    await say('Process started successfully');
    await say('Last');
    expect(await python.ended, python.printed()).toBe(0);
    expect(python.printed()).toContain('{"log":"Process started successfully"}\n');
    const refused = runPython(program('nonsense'));
    expect(await refused.ended, refused.printed()).toBe(0);
    expect(refused.printed()).toMatch(/^\{"error":.*"INVALID_TOKEN"\}\nclosed 1008\n$/);
  });
});

describe('who may not read', () => {
  it.each<[who: string, headers: (keys: Keys) => Record<string, string>, code: string, status: number]>([
    ['[logs/missing-key] [logs/closed-at-once] nobody', () => ({}), 'AUTH_REQUIRED', 401],
    ['[logs/refused] a key that is none', () => bearer('nonsense'), 'INVALID_TOKEN', 401],
    [
      'a key that was never made',
      () => bearer(`nk_${'a'.repeat(16)}_${'b'.repeat(43)}`),
      'INVALID_TOKEN',
      401,
    ],
    ['another scheme', () => ({ authorization: `Basic ${LOGS_KEY}` }), 'AUTH_REQUIRED', 401],
    ['[logs/authorised] a key that only writes', ({ writer }) => bearer(writer), 'SCOPE_REQUIRED', 403],
    ['[logs/authorised] a user', ({ user }) => bearer(user), 'SCOPE_REQUIRED', 403],
    ['[logs/authorised] a revoked key', ({ revoked }) => bearer(revoked), 'INVALID_TOKEN', 401],
  ])('%s: one error and 1008, or the status, and no line', async (_who, headersOf, code, status) => {
    const headers = headersOf(await keys());
    const probe = keep(await connect(`${stack.url()}/ws/logs?tail=100`, { headers }));
    // There are lines that it could get.
    await say('Not for you');
    expect(await probe.closing()).toEqual({ code: 1008, reason: 'Unauthorized' });
    expect(probe.frames).toEqual([{ error: expect.any(String), code }]);
    const refused = await openLogEvents(`${stack.httpUrl()}${STREAM}?tail=100`, headers).catch(
      (error: unknown) => error,
    );
    expect(refused).toBeInstanceOf(StreamRefused);
    expect(refused).toMatchObject({ status, body: { code } });
  });

  it('[logs/refused-close] [logs/sse-refused] a bad key is accepted, told one error and closed with 1008; over HTTP it is 401', async () => {
    const probe = await connect(`${stack.url()}/ws/logs?token=nonsense`);
    expect(probe.socket.protocol).toBe('');
    expect(await probe.closing()).toEqual({ code: 1008, reason: 'Unauthorized' });
    expect(probe.frames).toMatchObject([{ code: 'INVALID_TOKEN' }]);
    for (const path of [STREAM, `${STREAM}?token=nonsense`])
      expect((await fetch(`${stack.httpUrl()}${path}`)).status).toBe(401);
  });

  it('[logs/authorised] who reads loses it at once with the key', async () => {
    const { id, key } = await makeKey(stack, admin, 'logs:read');
    const both = await readers('revoked', key);
    const [stays] = await readers('revoked');
    await askLogs(`${stack.httpUrl()}/api/v1/api-keys/${id}`, { key: admin, method: 'DELETE' });
    for (const reader of both) await reader.until(() => !reader.isOpen);
    await storeLines(stack, [{ msg: 'Secret from now on', category: 'revoked' }]);
    await stays?.untilLine('Secret from now on');
    expect(both.map(({ texts, ends }) => ({ texts, ends }))).toEqual([
      { texts: [], ends: [1008] },
      { texts: [], ends: [null] },
    ]);
  });
});

interface Keys {
  writer: string;
  revoked: string;
  user: string;
}

let made: Promise<Keys> | null = null;

function keys(): Promise<Keys> {
  made ??= (async () => {
    const [writer, revoked] = [
      await makeKey(stack, admin, 'logs:write'),
      await makeKey(stack, admin, 'logs:read'),
    ];
    await askLogs(`${stack.httpUrl()}/api/v1/api-keys/${revoked.id}`, { key: admin, method: 'DELETE' });
    return { writer: writer.key, revoked: revoked.key, user: await stack.token({ sub: 'alice' }) };
  })();
  return made;
}

describe('too much', () => {
  it('[logs/rate-limited] frames above the limit are refused with retry_after; who goes on is closed', async () => {
    const probe = await socket('?category=quiet');
    await readersHere(stack, 1);
    for (let sent = 0; sent < RATE; sent += 1) probe.send({});
    for (let sent = 0; sent < 5; sent += 1) probe.send({});
    await expect.poll(() => probe.frames.length, WAIT).toBe(RATE + 5);
    const codes = probe.frames.map(({ code }: Frame) => code);
    expect(codes).toEqual([...Array(RATE).fill('UNKNOWN_TYPE'), ...Array(5).fill('RATE_LIMIT')]);
    expect(probe.frames.at(-1)).toEqual({
      error: 'Rate limit exceeded',
      code: 'RATE_LIMIT',
      retry_after: expect.any(Number),
    });
    // Lines come all the same.
    await storeLines(stack, [{ msg: 'Still here', category: 'quiet' }]);
    await probe.next(({ log }) => log === 'Still here');
    for (let sent = 0; sent < 200; sent += 1) probe.send({});
    expect(await probe.closing()).toEqual({ code: 1008, reason: 'Too many refused frames' });
  });

  it('[logs/rate-limited] lines: a batch above 1,000 is refused whole, and so is the request above the limit of a key', async () => {
    const { key } = await makeKey(stack, admin, 'logs:write');
    const many = Array.from({ length: 1_001 }, () => ({ msg: 'too many' }));
    expect(await sendLines(stack, many, { key })).toMatchObject({
      status: 413,
      body: { code: 'BODY_TOO_LARGE' },
    });
    for (let sent = 1; sent < RATE; sent += 1)
      expect((await sendLines(stack, [{ msg: 'flood' }], { key })).status).toBe(200);
    expect(await sendLines(stack, [{ msg: 'flood' }], { key })).toMatchObject({
      status: 429,
      body: { code: 'RATE_LIMIT' },
    });
  });
});
