import { RunEvent } from '@natter/proto';
import binaryFrames from '@natter/proto/corpus/rooms-v1/binary-frames.json' with { type: 'json' };
import clientFrames from '@natter/proto/corpus/rooms-v1/client-frames.json' with { type: 'json' };
import serverFrames from '@natter/proto/corpus/rooms-v1/server-frames.json' with { type: 'json' };
import turns from '@natter/proto/corpus/rooms-v1/turns.json' with { type: 'json' };
import { describe, expect, it } from 'vitest';
import { roomsV1 } from '../../src/dialects/rooms-v1/codec.ts';
import type {
  Decoded,
  ErrorDetail,
  Frames,
  Notice,
  PlaceContext,
  PlaceEvent,
} from '../../src/session/dialect.ts';
import { dialectContract, frames, handshake } from './contract.ts';

const ASKED = RunEvent.parse({
  type: 'run.started',
  messageId: 'msg-1',
  sub: 'alice',
  name: 'Alice',
  text: 'How strong is the engine?',
  askedAt: 1_767_225_600_000,
});

/** Corpora are JSON: what they hold is checked by what comes of it. */
function encode(call: string, input: unknown, context: unknown): Frames {
  if (call === 'notice') return roomsV1.encodeNotice(input as Notice);
  if (call === 'place') return roomsV1.encodePlaceEvent(input as PlaceEvent, context as PlaceContext);
  const { code, ...detail } = input as ErrorDetail & { code: 'TOKEN_EXPIRED' };
  return call === 'refused' ? roomsV1.encodeRefused(code, detail) : roomsV1.encodeError(code, detail);
}

/** With the bytes of a part in base64, as a corpus has them. */
function readable(decoded: Decoded) {
  if (!decoded.ok || !('data' in decoded.command)) return decoded;
  const data = Buffer.from(decoded.command.data).toString('base64');
  return { ok: true, command: { ...decoded.command, data } };
}

function parsed(some: Frames) {
  return some === null ? [] : [some].flat().map((frame) => JSON.parse(frame));
}

/** All frames of a run that is asked for and says these texts. */
function answered(texts: string[], more: Parameters<typeof frames>[3] = {}, session = 'session-id') {
  let at = 0;
  const deltas = texts.map((text): RunEvent => {
    at += text.length;
    return { type: 'text.delta', at: at - text.length, text };
  });
  return frames(roomsV1, [ASKED, ...deltas], session, more).flatMap(({ frame }) => parsed(frame));
}

dialectContract(roomsV1);

describe('rooms-v1', () => {
  it.each(clientFrames)('decodes: $name', ({ text, decoded }) => {
    expect(readable(roomsV1.decode(new TextEncoder().encode(text), false))).toEqual(decoded);
  });

  it.each(binaryFrames)('decodes in a binary frame: $name', ({ hex, decoded }) => {
    expect(readable(roomsV1.decode(Buffer.from(hex, 'hex'), true))).toEqual(decoded);
  });

  it.each(serverFrames)('encodes: $name', ({ call, input, frame, ...rest }) => {
    const context = 'context' in rest ? rest.context : undefined;
    expect(parsed(encode(call, input, context))).toEqual([frame]);
  });

  it.each(turns)('encodes a turn: $name', ({ run: { session, room, cursor }, events, frames: expected }) => {
    const encoded = frames(
      roomsV1,
      events.map((event) => RunEvent.parse(event)),
      session,
      { room, cursor },
    );
    expect(encoded.flatMap(({ frame }) => parsed(frame))).toEqual(expected);
  });

  it('takes no JSON in binary frames', () => {
    const bytes = new TextEncoder().encode('{"type":"ping"}');
    expect(roomsV1.decode(bytes, true)).toEqual({ ok: false, code: 'INVALID_JSON' });
  });

  it('leaves Object.prototype alone, whatever ids and fields are called', () => {
    const text = '{"type":"chat","data":{"__proto__":{"polluted":1},"message":"x"},"room_id":"__proto__"}';
    const decoded = roomsV1.decode(new TextEncoder().encode(text), false);
    expect(decoded).toMatchObject({ ok: true, command: { room: '__proto__' } });
    expect({}).not.toHaveProperty('polluted');
  });

  it('ends every turn with exactly one terminal frame, and the AI no longer types', () => {
    for (const { events, run } of turns) {
      const encoded = frames(
        roomsV1,
        events.map((event) => RunEvent.parse(event)),
        run.session,
        { room: run.room },
      ).flatMap(({ frame }) => parsed(frame));
      expect(encoded.filter(({ type, data }) => type === 'error' || data.done === true)).toHaveLength(1);
      expect(encoded.at(-1)).toMatchObject({ type: 'typing', data: { is_typing: false } });
    }
  });
});

describe('text on rooms-v1', () => {
  it('is a delta that any cut, also through a character, survives', () => {
    const text = 'a "b" \\ \u2028\u0007\n\u{1f527}';
    for (const size of [1, 2, 5]) {
      const cuts = text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
      const said = answered(cuts).flatMap(({ type, data }) => (type === 'chat' ? [data.content] : []));
      expect(said.join('')).toBe(text);
    }
  });

  it('names the place it is said in, also when the same run is shown by another name', () => {
    const names = [
      answered(['x'], { room: null }, '7'),
      answered(['x'], { room: 'a "room"' }, 'a "room"'),
      answered(['x'], { room: null }, '7'),
    ].map((all) => [all[1].data.conversation_id, all[1].data.room_id]);
    expect(names).toEqual([
      [7, undefined],
      ['a "room"', 'a "room"'],
      [7, undefined],
    ]);
  });

  it('tells two runs apart that answer one first event', () => {
    const ids = ['a', 'b'].map((letter) => answered(['x'], { run: letter.repeat(26) })[1].data.id);
    expect(ids).toEqual(['a'.repeat(26), 'b'.repeat(26)]);
  });

  it('gives a client its number back, and a text where a number would lose digits', () => {
    const given = ['0', '-5', '9007199254740991', '9007199254740992', '007', '1e3', '-0', '1.5'];
    const shown = given.map((session) => answered(['x'], {}, session)[1].data.conversation_id);
    expect(shown).toEqual([0, -5, 9007199254740991, '9007199254740992', '007', '1e3', '-0', '1.5']);
  });

  it('stamps each frame with the time of its own event', () => {
    const stamps = [1_767_225_600_001, 1_767_225_600_002, 1_767_225_600_001].map(
      (atMs) => answered(['x'], { atMs })[1].data.timestamp,
    );
    expect(stamps).toEqual([
      '2026-01-01T00:00:00.001Z',
      '2026-01-01T00:00:00.002Z',
      '2026-01-01T00:00:00.001Z',
    ]);
  });
});

describe('an upgrade request of rooms-v1', () => {
  const credential = (query: Record<string, string>, header: Record<string, string> = {}) =>
    roomsV1.open(handshake(query, header)).credential;

  it('has its token in the query, the Authorization header or a cookie, in this order', () => {
    const header = { authorization: 'Bearer header', cookie: 'a=b; access_token=cookie; c' };
    expect(credential({ token: 'query' }, header)).toEqual({ token: 'query', use: 'websocket' });
    expect(credential({}, header)?.token).toBe('header');
    expect(credential({}, { cookie: header.cookie })?.token).toBe('cookie');
    expect(credential({ token: '' }, { cookie: 'xaccess_token=other' })).toBeNull();
  });

  it('may call the token a Bearer wherever it stands', () => {
    expect(credential({ token: 'Bearer t' })?.token).toBe('t');
    expect(credential({}, { authorization: 'bearer  t' })?.token).toBe('t');
    expect(credential({}, { cookie: 'access_token="Bearer t"' })?.token).toBe('t');
    expect(credential({}, { authorization: 'Bearer ' })).toBeNull();
  });

  it('joins the room that the query names', () => {
    const query = { room_id: 'room-123', room_type: 'shared', room_name: 'My Chat Room', seq: '1' };
    expect(roomsV1.open(handshake(query))).toMatchObject({
      room: { id: 'room-123', type: 'shared', name: 'My Chat Room' },
      session: null,
      cursors: true,
      problem: null,
    });
  });

  it('[rooms/close-internal] is closed with 4001 without a good token, and with 4000 after a mistake of ours', () => {
    expect(roomsV1.manner).toMatchObject({ refusedToken: 'invalidToken', tokenAtOpen: true });
    expect(roomsV1.closes.internalError).toEqual({ code: 4000, reason: 'Internal server error' });
  });
});
