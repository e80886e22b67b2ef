/** What every dialect must hold, whatever its frames look like. */
import { CLOSES, type CloseReason, ERRORS, type ErrorCode, type RunEvent } from '@natter/proto';
import { describe, expect, it } from 'vitest';
import { RunView } from '../../src/bus/run-view.ts';
import type { Dialect, Frames, Handshake, RunText } from '../../src/session/dialect.ts';

const utf8 = new TextEncoder();

const HOSTILE: [string, Uint8Array][] = [
  ['nothing', new Uint8Array()],
  ['bytes that are no UTF-8', new Uint8Array([0xff, 0xfe, 0x00, 0xc3, 0x28])],
  ['half a JSON document', utf8.encode('{"type":"message","mess')],
  ['null', utf8.encode('null')],
  ['a number', utf8.encode('1e999')],
  ['an array', utf8.encode('[{"type":"auth"}]')],
  ['10,000 brackets', utf8.encode('['.repeat(10_000))],
  ['a prototype', utf8.encode('{"__proto__":{"type":"message"},"constructor":1}')],
  ['wrong shapes', utf8.encode('{"type":{"a":1},"message":[],"session_id":{},"content":true,"data":7}')],
  ['a NUL byte', utf8.encode('{"type":"message\u0000"}')],
  ['an id of 10 kB', utf8.encode(`{"type":"message","message":"x","session_id":"${'a'.repeat(10_240)}"}`)],
  ['half a surrogate pair as id', utf8.encode('{"type":"message","message":"x","session_id":"\\ud83d"}')],
];

const METADATA = { agent: 'specs', confidence: 1, sources: [], model: 'm', usage: null };

const STARTED: RunEvent = {
  type: 'run.started',
  messageId: 'msg-1',
  sub: 'alice',
  name: 'Alice',
  text: 'How strong is the engine?',
  askedAt: 1_767_225_600_000,
};

const HOSTILE_IDS: [string, string][] = [
  ['wildcards', '>'],
  ['stars', '*'],
  ['dots', 'a.b'],
  ['an API subject', '$JS.API.>'],
  ['10 kB', 'a'.repeat(10_240)],
  ['nothing', ''],
  ['emoji', '\u{1f527}'],
  ['a prototype', '__proto__'],
  ['half a surrogate pair', '\ud83d'],
];

/** An upgrade request with these parameters; each may be a list. */
export function handshake(
  query: Record<string, string | string[]>,
  header: Record<string, string> = {},
  param = '',
): Handshake {
  return {
    param: () => param,
    query: (name) => [query[name] ?? []].flat()[0],
    queries: (name) => [query[name] ?? []].flat(),
    header: (name) => header[name] ?? '',
  };
}

const ANSWER = 'The engine has "110 kW" \\ at 5,000 rpm.\n\u2028\u0007 \u{1f527} done';

export function dialectContract(dialect: Dialect): void {
  describe(`${dialect.name} as a dialect`, () => {
    it.each(HOSTILE)('answers %s with an error code or a command, never a throw', (_name, bytes) => {
      for (const isBinary of [false, true]) {
        const decoded = dialect.decode(bytes, isBinary);
        if (!decoded.ok) expect(ERRORS).toHaveProperty(decoded.code);
      }
    });

    it('never throws on random bytes', () => {
      let state = 0x2545f491;
      for (let round = 0; round < 2_000; round += 1) {
        const bytes = new Uint8Array(round % 97);
        for (let at = 0; at < bytes.length; at += 1) {
          state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
          bytes[at] = state >>> 24;
        }
        const decoded = dialect.decode(bytes, false);
        expect(typeof decoded.ok).toBe('boolean');
      }
    });

    it('has a frame for every error code', () => {
      for (const code of Object.keys(ERRORS) as ErrorCode[]) {
        expect([dialect.encodeError(code, { correlationId: 'abc' })].flat().join('\n')).toContain('abc');
      }
    });

    it('closes with codes and reasons that RFC 6455 allows', () => {
      for (const reason of Object.keys(CLOSES) as CloseReason[]) {
        const close = dialect.closes[reason] ?? CLOSES[reason];
        expect(close.code === 1008 || close.code === 1009 || (close.code >= 1011 && close.code < 5000)).toBe(
          true,
        );
        expect(utf8.encode(close.reason).length).toBeLessThanOrEqual(123);
      }
    });

    it('has the words for a terminal frame of every kind of end', () => {
      const ends: RunEvent[] = [
        { type: 'run.completed', text: '', metadata: METADATA },
        { type: 'run.failed', code: 'PROCESSING_ERROR', correlationId: 'abc' },
        { type: 'run.cancelled', text: '', by: 'alice' },
      ];
      for (const end of ends) expect(frames(dialect, [STARTED, end]).at(-1)?.frame).not.toBeNull();
    });

    it('encodes an answer of any cut into frames, the last of which is the only end', () => {
      for (const size of [1, 3, 7, ANSWER.length]) {
        const ends = frames(dialect, chunks(ANSWER, size)).filter(
          ({ event }) => event.type === 'run.completed',
        );
        expect(ends).toHaveLength(1);
        expect(ends[0]?.frame).not.toBeNull();
      }
    });

    it('reads an upgrade request without a token as having none', () => {
      expect(dialect.open(handshake({})).credential).toBeNull();
    });

    it.each(HOSTILE_IDS)('reads an upgrade request full of %s without a throw', (_name, id) => {
      const everything = { query: () => id, queries: () => [id, id], header: () => id, param: () => id };
      const { problem } = dialect.open(everything);
      if (problem !== null) expect(ERRORS).toHaveProperty(problem);
    });
  });
}

/** Every event of an answer with the frame the dialect made of it. */
export function frames(
  dialect: Dialect,
  events: RunEvent[],
  session = 'session-id',
  more: Partial<RunText> = {},
) {
  const view = new RunView();
  const encoded: { event: RunEvent; frame: Frames }[] = [];
  events.forEach((event, index) => {
    view.apply({ n: index + 1, claim: 1, events: [event] }, (fresh) => {
      const run: RunText = {
        room: null,
        session,
        run: 'a'.repeat(26),
        text: view.text,
        textJson: view.textJson,
        asked: view.asked,
        cursor: null,
        atMs: 1_767_225_600_000,
        ...more,
      };
      encoded.push({ event: fresh, frame: dialect.encodeEvent(fresh, run) });
    });
  });
  return encoded;
}

function chunks(text: string, size: number): RunEvent[] {
  const events: RunEvent[] = [];
  for (let at = 0; at < text.length; at += size) {
    events.push({ type: 'text.delta', at, text: text.slice(at, at + size) });
  }
  return [STARTED, ...events, { type: 'run.completed', text, metadata: METADATA }];
}
