import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createLogger } from '@natter/runtime';
import { afterEach, expect, it } from 'vitest';
import { createOpenAiModel } from '../../../src/model/openai/openai-model.ts';

let server: Server;
const sockets = new Set<Socket>();
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  server.close();
});

/** What a server without any manners sends, once it has been asked something. */
type Sends = (socket: Socket) => void;

async function ask(sends: Sends, firstTokenTimeoutMs: number): Promise<{ code: string; text: string }> {
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('data', () => sends(socket));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const model = createOpenAiModel({
    ...{ baseUrl, apiKey: 'k', model: 'm', retries: 0 },
    ...{ firstTokenTimeoutMs, tokenTimeoutMs: firstTokenTimeoutMs, timeoutMs: 60_000 },
  });
  const asked = {
    purpose: 'answer' as const,
    messages: [{ role: 'user' as const, content: 'hello' }],
    traceparent: '00-11111111111111111111111111111111-2222222222222222-01',
    signal: new AbortController().signal,
    log: createLogger('test', 'silent'),
  };
  let text = '';
  const failed = model.ask(asked, (piece) => {
    text += piece;
  });
  return failed.then(
    () => ({ code: 'whole', text }),
    (error: { code: string }) => ({ code: error.code, text }),
  );
}

const OK = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n';
const CHUNKED = `${OK}transfer-encoding: chunked\r\n\r\n`;
const TOKEN = 'data: {"choices":[{"delta":{"content":"a"}}]}\n\n';

/** Writes the same again and again, as fast as it is taken. */
function floods(socket: Socket, text: string, first = ''): void {
  socket.write(first);
  const more = () => {
    while (!socket.destroyed && socket.write(text));
  };
  socket.on('drain', more);
  more();
}

// Long enough that none of them is waited for on the busiest machine.
it.each<[string, string[], Sends]>([
  [
    'switches protocols',
    ['UNREACHABLE'],
    (socket) => socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'),
  ],
  [
    'names a chunk of 2^64 bytes',
    ['CUT_OFF', 'UNREACHABLE'],
    (socket) => socket.write(`${CHUNKED}ffffffffffffffff1\r\n`),
  ],
  ['names a chunk of no number', ['CUT_OFF', 'UNREACHABLE'], (socket) => socket.write(`${CHUNKED}-1\r\n`)],
  [
    'sends headers without an end',
    ['UNREACHABLE'],
    (socket) => floods(socket, `${OK}x: ${'y'.repeat(9_000)}\r\n`),
  ],
  [
    'has two lengths',
    ['UNREACHABLE'],
    (socket) => socket.write(`${OK}content-length: 1\r\ncontent-length: 2\r\n\r\nx`),
  ],
  [
    'has a length and chunks',
    ['UNREACHABLE'],
    (socket) => socket.write(`${OK}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`),
  ],
  ['closes before its length', ['CUT_OFF'], (socket) => socket.end(`${OK}content-length: 9999\r\n\r\n: x\n`)],
  ['closes amid a chunk', ['CUT_OFF'], (socket) => socket.end(`${CHUNKED}ff\r\n: x\n`)],
  ['says nothing at all and closes', ['UNREACHABLE'], (socket) => socket.end()],
  ['resets the connection', ['UNREACHABLE'], (socket) => socket.resetAndDestroy()],
  ['has no HTTP', ['UNREACHABLE'], (socket) => socket.write('SSH-2.0-OpenSSH\r\n')],
  [
    'has a page instead',
    ['CUT_OFF'],
    (socket) =>
      socket.end('HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 13\r\n\r\n<html></html>'),
  ],
  ['has no content', ['CUT_OFF'], (socket) => socket.write('HTTP/1.1 204 No Content\r\n\r\n')],
  [
    'has a line without an end',
    ['BAD_REPLY'],
    (socket) => floods(socket, 'data: '.repeat(10_000), `${OK}\r\n`),
  ],
  [
    'has an event without an end',
    ['BAD_REPLY'],
    (socket) => floods(socket, 'data: x\n'.repeat(10_000), `${OK}\r\n`),
  ],
  [
    'has nested JSON without an end',
    ['BAD_REPLY'],
    (socket) => socket.end(`${OK}\r\ndata: ${'['.repeat(1_000_000)}\n\n`),
  ],
])('a server that %s is found out at once', async (_name, codes, sends) => {
  expect(codes).toContain((await ask(sends, 300_000)).code);
});

it.each<[string, Sends]>([
  ['comments', (socket) => floods(socket, ': ping\n\n'.repeat(1_000), `${OK}\r\n`)],
  ['interim answers', (socket) => floods(socket, 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(100))],
  ['extensions of a chunk', (socket) => floods(socket, `;x=${'y'.repeat(1_000)}`, `${CHUNKED}1`)],
])('a flood of %s ends at the time for the first token', async (_name, sends) => {
  expect(['TIMEOUT', 'CUT_OFF', 'UNREACHABLE']).toContain((await ask(sends, 1_000)).code);
});

it('what a server says behind the end of its reply is no part of the next one', async () => {
  const { code, text } = await ask((socket) => {
    const body = `${TOKEN}data: {"choices":[{"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n`;
    const stray = TOKEN.replace('"a"', '"stray"');
    socket.write(
      `${OK}content-length: ${body.length}\r\n\r\n${body}${OK}content-length: ${stray.length}\r\n\r\n${stray}`,
    );
  }, 300_000);
  expect([code, text]).toEqual(['whole', 'a']);
});
