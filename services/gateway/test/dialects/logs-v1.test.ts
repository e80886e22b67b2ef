import clientFrames from '@natter/proto/corpus/logs-v1/client-frames.json' with { type: 'json' };
import serverFrames from '@natter/proto/corpus/logs-v1/server-frames.json' with { type: 'json' };
import { describe, expect, it } from 'vitest';
import { logsV1 } from '../../src/dialects/logs-v1/codec.ts';
import type { LogFormat, LogRefusal, ShownLine } from '../../src/session/logs/log-wire.ts';

const utf8 = new TextEncoder();

const open = (query: Record<string, string> = {}, headers: Record<string, string> = {}) =>
  logsV1.open({ query: (name) => query[name], header: (name) => headers[name] ?? '' });

describe('logs-v1', () => {
  it.each(clientFrames)('decodes: $name', ({ text, decoded }) => {
    expect(logsV1.decode(utf8.encode(text), false)).toEqual(decoded);
  });

  it.each(serverFrames)('encodes: $name', ({ call, input, frame, text }) => {
    const encoded = encode(call, input);
    if (text === undefined) expect(JSON.parse(encoded)).toEqual(frame);
    else expect(encoded).toBe(text);
  });

  it.each([
    ['nothing', new Uint8Array()],
    ['no UTF-8', new Uint8Array([0xff, 0xc3, 0x28])],
    ['10,000 brackets', utf8.encode('['.repeat(10_000))],
    ['a prototype', utf8.encode('{"__proto__":{"ack":1}}')],
    ['a number without end', utf8.encode('{"ack":1e999}')],
  ])('refuses a frame of %s', (_what, bytes) => {
    expect(logsV1.decode(bytes, false)).toMatchObject({ ok: false });
  });

  it('takes no binary frames', () => {
    expect(logsV1.decode(utf8.encode('{"ack":1}'), true)).toEqual({ ok: false, code: 'INVALID_JSON' });
  });

  it('asks for all lines from now on where the query says nothing', () => {
    expect(open()).toEqual({
      credential: null,
      filter: { service: null, level: null, category: null },
      format: 'plain',
      tail: 0,
      cursor: null,
      name: null,
      problem: null,
    });
    expect(open({ service: '', level: '', tail: '', format: '', token: '' })).toEqual(open());
  });

  it('reads what the query asks for', () => {
    const query = { service: 'agent', level: 'warn', category: 'runs', tail: '100', cursor: '7', name: 'ci' };
    expect(open(query)).toMatchObject({
      filter: { service: 'agent', level: 'warn', category: 'runs' },
      ...{ tail: 100, cursor: 7, name: 'ci', format: 'seq', problem: null },
    });
    expect(open({ seq: '1' }).format).toBe('seq');
    expect(open({ seq: '1', format: 'full' }).format).toBe('full');
  });

  it('goes on behind the last event of a browser, whatever its URL says', () => {
    expect(open({ cursor: '7' }, { 'last-event-id': '9' }).cursor).toBe(9);
  });

  it.each([
    [{ level: 'loud' }],
    [{ service: '>' }],
    [{ category: 'a b' }],
    [{ tail: '1001' }],
    [{ tail: '-1' }],
    [{ cursor: 'x' }],
    [{ cursor: '99999999999999999' }],
    [{ name: 'a/b' }],
    [{ name: 'x'.repeat(65) }],
    [{ format: 'xml' }],
  ])('names what can not be used of %o, and still whose request it is', (query) => {
    const [detail] = Object.keys(query);
    const problem = { code: 'INVALID_FIELD', detail };
    expect(open({ ...query, token: 'key' })).toMatchObject({ problem, credential: 'key' });
  });

  it('names the header that can not be used, which the URL could not mend', () => {
    const { problem } = open({ cursor: '7' }, { 'last-event-id': 'x' });
    expect(problem).toEqual({ code: 'INVALID_FIELD', detail: 'Last-Event-ID' });
  });

  it.each([
    [{}, { authorization: 'Bearer key' }],
    [{ token: 'key' }, {}],
    [{ token: 'Bearer key' }, {}],
    [{ token: 'other' }, { authorization: 'bearer  key' }],
    [{ token: 'key' }, { authorization: 'Basic YTpi' }],
  ])('reads the key from %o and %o', (query, headers) => {
    expect(open(query, headers).credential).toBe('key');
  });

  it('shows a line without its fields that are nested too deeply to be written', () => {
    const fields = JSON.parse(`{"a":${'['.repeat(30_000)}${']'.repeat(30_000)}}`);
    const frame = logsV1.encodeLine({ ...LINE, fields }, 'full');
    expect(JSON.parse(frame)).toMatchObject({ log: 'text', fields: { truncated: true } });
  });

  it('writes any text into one event', () => {
    const text = 'a\r\nb\n\ndata: {"log":"forged"}\u2028\u0000';
    const event = logsV1.asEvent(logsV1.encodeLine({ ...LINE, text }, 'plain'), 1);
    expect(event.split('\n')).toHaveLength(4);
    expect(JSON.parse(event.slice('id: 1\ndata: '.length))).toEqual({ log: text });
  });
});

const LINE: ShownLine = {
  seq: 1,
  level: 'info',
  service: 's',
  category: 'c',
  time: '2026-01-01T00:00:00.000Z',
  text: 'text',
  traceId: null,
  fields: {},
};

/** Calls what a golden frame names with what it gives. */
function encode(call: string, input: unknown): string {
  if (call === 'gap') return logsV1.encodeGap(input as number | null);
  if (call === 'line') {
    const { line, format } = input as { line: ShownLine; format: LogFormat };
    return logsV1.encodeLine(line, format);
  }
  if (call === 'error') {
    return logsV1.encodeError(input as LogRefusal);
  }
  if (call === 'event') {
    const { frame, seq } = input as { frame: string; seq: number | null };
    return logsV1.asEvent(frame, seq);
  }
  throw new Error(`no such call: ${call}`);
}
