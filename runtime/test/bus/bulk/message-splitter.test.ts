import { describe, expect, it } from 'vitest';
import { MessageSplitter } from '../../../src/bus/bulk/message-splitter.ts';

/** What a splitter makes of bytes that come in pieces of one size; each piece is wiped once it was taken. */
function split(text: string, pieceBytes: number, takes = true): string[] {
  const seen: string[] = [];
  let body: Uint8Array | null = null;
  const splitter = new MessageSplitter({
    line: (line) => void seen.push(line),
    begin: (subject, head, bytes) => {
      seen.push(`${subject} [${head}] ${bytes}`);
      body = takes ? new Uint8Array(bytes) : null;
      return body;
    },
    end: () => void seen.push(body === null ? 'dropped' : Buffer.from(body).toString('latin1')),
  });
  for (let at = 0; at < text.length; at += pieceBytes) {
    const piece = Buffer.from(text.slice(at, at + pieceBytes), 'latin1');
    splitter.push(piece);
    piece.fill(0);
  }
  return seen;
}

const HEAD = 'NATS/1.0\r\nNats-Sequence: 7\r\n\r\n';
const STREAM = [
  'INFO {"nonce":"x"}\r\n',
  'PING\r\n',
  'MSG in.1 1 5\r\nab\r\nc\r\n',
  `HMSG in.2 1 reply ${HEAD.length} ${HEAD.length + 4}\r\n${HEAD}MSG \r\n`,
  `HMSG in.3 1 ${HEAD.length} ${HEAD.length}\r\n${HEAD}\r\n`,
  'MSG in.4 1 0\r\n\r\n',
  "-ERR 'Stale Connection'\r\n",
].join('');

describe('MessageSplitter', () => {
  it('finds the same messages wherever the bytes are cut', () => {
    const whole = split(STREAM, STREAM.length);
    expect(whole).toEqual([
      'INFO {"nonce":"x"}',
      'PING',
      'in.1 [] 5',
      'ab\r\nc',
      `in.2 [${HEAD}] 4`,
      'MSG ',
      `in.3 [${HEAD}] 0`,
      '',
      'in.4 [] 0',
      '',
      "-ERR 'Stale Connection'",
    ]);
    for (let pieceBytes = 1; pieceBytes < STREAM.length; pieceBytes += 1)
      expect(split(STREAM, pieceBytes)).toEqual(whole);
  });

  it('passes over a body that nobody wants', () => {
    expect(split('MSG in.1 1 3\r\nabc\r\nPING\r\n', 2, false)).toEqual(['in.1 [] 3', 'dropped', 'PING']);
  });

  it.each([
    ['a line without an end', 'x'.repeat(65_537)],
    ['a body above all limits', 'MSG in.1 1 99999999\r\n'],
    ['a length that is none', 'MSG in.1 1 -1\r\n'],
    ['headers longer than the message', 'HMSG in.1 1 5 4\r\n'],
    ['headers without an end', 'HMSG in.1 1 65537 65537\r\n'],
  ])('throws for %s', (_name, text) => {
    expect(() => split(text, text.length)).toThrow();
    expect(() => split(text, 7)).toThrow();
  });
});
