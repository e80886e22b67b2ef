import { CLOSES, LIMITS, RunEvent } from '@natter/proto';
import clientFrames from '@natter/proto/corpus/session-v1/client-frames.json' with { type: 'json' };
import serverFrames from '@natter/proto/corpus/session-v1/server-frames.json' with { type: 'json' };
import turns from '@natter/proto/corpus/session-v1/turns.json' with { type: 'json' };
import { describe, expect, it } from 'vitest';
import { sessionV1 } from '../../src/dialects/session-v1/codec.ts';
import type { ErrorDetail, Frames, Notice, PlaceContext, PlaceEvent } from '../../src/session/dialect.ts';
import { dialectContract, frames, handshake } from './contract.ts';

type Refusal = Parameters<typeof sessionV1.encodeRefused>[0];
type Code = Parameters<typeof sessionV1.encodeError>[0];

const AT_MS = Date.UTC(2026, 0, 1);
const open = (param: string, query = {}, header = {}) => sessionV1.open(handshake(query, header, param));

dialectContract(sessionV1);

describe('session-v1', () => {
  it.each(clientFrames)('decodes: $name', ({ text, decoded }) => {
    expect(sessionV1.decode(new TextEncoder().encode(text), false)).toEqual(decoded);
  });

  it('takes no binary frames, whatever they hold', () => {
    const bytes = new TextEncoder().encode('{"content":"List all tables"}');
    expect(sessionV1.decode(bytes, true)).toEqual({ ok: false, code: 'INVALID_JSON' });
  });

  it.each(serverFrames)('encodes: $name', ({ call, input, frame }) => {
    const encoded = encode(call, input);
    expect(parsed(encoded)).toEqual([frame].flat().filter((one) => one !== null));
  });

  it.each(turns)('encodes a turn: $name', ({ session, cursor = null, events, frames: expected }) => {
    const given = events.map((event) => RunEvent.parse(event));
    const encoded = frames(sessionV1, given, session, { cursor, atMs: AT_MS });
    expect(encoded.flatMap(({ frame }) => parsed(frame))).toEqual(expected);
  });

  it('is about the session that its path names, answered by the explorer', () => {
    expect(open('my-session')).toMatchObject({
      session: 'my-session',
      credential: null,
      options: { agent: 'explorer' },
      problem: null,
    });
  });

  it.each(['>', 'a.b', '*', '$JS.API.>', '__proto__', '\u{1f527}', 'a'.repeat(LIMITS.idBytes)])(
    'takes %s for the name of a session',
    (id) => expect(open(id)).toMatchObject({ session: id, problem: null }),
  );

  it.each([
    ['no name', ''],
    ['one byte too many', 'a'.repeat(LIMITS.idBytes + 1)],
    ['half a surrogate pair', '\ud83d'],
  ])('says that %s is no session', (_name, id) => {
    expect(open(id)).toMatchObject({ session: null, problem: 'INVALID_FIELD' });
  });

  it('keeps what was wrong with a parameter that all wires share', () => {
    expect(open('my-session', { on_busy: 'later' }).problem).toBe('INVALID_FIELD');
    expect(open('my-session', { seq: '1', watch: '1' })).toMatchObject({ cursors: true, problem: null });
  });

  it.each([
    ['the query', { token: 'abc' }, {}],
    ['the query with Bearer', { token: 'Bearer abc' }, {}],
    ['the header', {}, { authorization: 'Bearer abc' }],
    ['the query, whatever the header says', { token: 'abc' }, { authorization: 'Bearer other' }],
  ])('reads the token from %s', (_name, query, header) => {
    expect(open('s', query, header).credential).toEqual({ token: 'abc', use: 'access' });
  });

  it('[session/internal-error] closes with 1011 and the same words, whatever went wrong inside', () => {
    const close = sessionV1.closes.internalError ?? CLOSES.internalError;
    expect(close).toMatchObject({ code: 1011, reason: 'Internal error' });
  });

  it('leaves an Authorization of another scheme to the proxy it is meant for', () => {
    expect(open('s', {}, { authorization: 'Basic YTpi' }).credential).toBeNull();
  });
});

/** Calls what a golden frame names with what it gives. */
function encode(call: string, input: unknown): Frames {
  if (call === 'notice') return sessionV1.encodeNotice(input as Notice);
  if (call === 'refused') {
    const { code, ...detail } = input as ErrorDetail & { code: Refusal };
    return sessionV1.encodeRefused(code, detail);
  }
  if (call === 'error') {
    const { code, ...detail } = input as ErrorDetail & { code: Code };
    return sessionV1.encodeError(code, detail);
  }
  if (call === 'place') {
    const { event, context } = input as { event: PlaceEvent; context: PlaceContext };
    return sessionV1.encodePlaceEvent(event, context);
  }
  throw new Error(`no such call: ${call}`);
}

function parsed(frame: Frames): unknown[] {
  return frame === null ? [] : [frame].flat().map((one) => JSON.parse(one) as unknown);
}
