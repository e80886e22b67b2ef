import { RunEvent } from '@natter/proto';
import clientFrames from '@natter/proto/corpus/chat-v1/client-frames.json' with { type: 'json' };
import serverFrames from '@natter/proto/corpus/chat-v1/server-frames.json' with { type: 'json' };
import turns from '@natter/proto/corpus/chat-v1/turns.json' with { type: 'json' };
import { describe, expect, it } from 'vitest';
import { chatV1 } from '../../src/dialects/chat-v1/codec.ts';
import { frames, handshake } from './contract.ts';

describe('chat-v1', () => {
  it.each(clientFrames)('decodes: $name', ({ text, decoded }) => {
    expect(chatV1.decode(new TextEncoder().encode(text), false)).toEqual(decoded);
  });

  it('takes no binary frames, whatever they hold', () => {
    const bytes = new TextEncoder().encode('{"type":"auth","token":"t"}');
    expect(chatV1.decode(bytes, true)).toEqual({ ok: false, code: 'INVALID_JSON' });
  });

  it.each(serverFrames)('encodes: $name', ({ call, input, frame }) => {
    const encode = {
      authenticated: (principal: never) =>
        chatV1.encodeNotice({ type: 'connected', connection: 'c', principal, atMs: 0 }),
      refused: (detail: { code: never }) => chatV1.encodeRefused(detail.code, detail as never),
      error: (detail: { code: never }) => chatV1.encodeError(detail.code, detail as never),
      notice: (notice: never) => chatV1.encodeNotice(notice),
      place: ({ event, context }: { event: never; context: never }) =>
        chatV1.encodePlaceEvent(event, context),
    }[call] as (input: unknown) => string;
    expect(JSON.parse(encode(input))).toEqual(frame);
  });

  it.each(turns)('encodes a turn: $name', ({ session, events, frames: expected }) => {
    const encoded = frames(
      chatV1,
      events.map((event) => RunEvent.parse(event)),
      session,
    );
    expect(
      encoded.flatMap(({ frame }) => (frame === null ? [] : [frame].flat().map((one) => JSON.parse(one)))),
    ).toEqual(expected);
  });

  it('reads the token from the query and drops a leading Bearer', () => {
    expect(chatV1.open(handshake({ token: 'abc' })).credential).toEqual({ token: 'abc', use: 'access' });
    expect(chatV1.open(handshake({ token: 'Bearer abc' })).credential?.token).toBe('abc');
    expect(chatV1.open(handshake({ token: '' })).credential).toBeNull();
  });
});
