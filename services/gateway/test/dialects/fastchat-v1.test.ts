import { RunEvent } from '@natter/proto';
import clientFrames from '@natter/proto/corpus/fastchat-v1/client-frames.json' with { type: 'json' };
import serverFrames from '@natter/proto/corpus/fastchat-v1/server-frames.json' with { type: 'json' };
import turns from '@natter/proto/corpus/fastchat-v1/turns.json' with { type: 'json' };
import { describe, expect, it } from 'vitest';
import { fastchatAdmin, fastchatUser } from '../../src/dialects/fastchat-v1/codec.ts';
import type { Frames, PlaceContext, PlaceEvent } from '../../src/session/dialect.ts';
import { dialectContract, frames, handshake } from './contract.ts';

dialectContract(fastchatUser);
dialectContract(fastchatAdmin);

/** The frames as a client sees them: JSON, and the terminator as it stands. */
function seen(encoded: Frames): unknown[] {
  return [encoded ?? []].flat().map((frame) => (frame === '--eof' ? frame : JSON.parse(frame)));
}

const place: PlaceContext = {
  room: 'lobby',
  session: 'lobby',
  cursor: null,
  position: 4,
  queued: false,
  atMs: 0,
};
const posted: PlaceEvent = {
  type: 'message.posted',
  run: 'b'.repeat(26),
  id: 'm-1',
  sub: 'bob',
  name: 'Bob',
  text: 'Hello',
  asks: false,
  at: 1_767_225_600_000,
};

describe('fastchat-v1', () => {
  it.each(clientFrames)('decodes: $name', ({ text, decoded }) => {
    expect(fastchatUser.decode(new TextEncoder().encode(text), false)).toEqual(decoded);
  });

  it('takes no binary frames and no broken UTF-8', () => {
    expect(fastchatUser.decode(new TextEncoder().encode('Hi'), true)).toEqual({
      ok: false,
      code: 'INVALID_JSON',
    });
    expect(fastchatUser.decode(new Uint8Array([0xff]), false)).toEqual({ ok: false, code: 'INVALID_JSON' });
  });

  it.each(serverFrames)('encodes: $name', ({ route, call, input, frames: expected }) => {
    const dialect = route === 'admin' ? fastchatAdmin : fastchatUser;
    const encode = {
      authenticated: (principal: never) =>
        dialect.encodeNotice({ type: 'connected', connection: 'c', principal, atMs: 0 }),
      refused: (detail: { code: never }) => dialect.encodeRefused(detail.code, detail as never),
      error: (detail: { code: never }) => dialect.encodeError(detail.code, detail as never),
    }[call] as (input: unknown) => Frames;
    expect(seen(encode(input))).toEqual(expected);
  });

  it.each(turns)('encodes a turn: $name', ({ session, events, frames: expected }) => {
    const parsed = events.map((event) => RunEvent.parse(event));
    const encoded = frames(fastchatUser, parsed, session);
    expect(encoded.flatMap(({ frame }) => seen(frame))).toEqual(expected);
  });

  it('adds up to the answer and ends it once, whatever the pieces', () => {
    const answer = 'The engine has "110 kW" \\ \u2028\u{1f527}\n\n--eof\n';
    const metadata = { agent: 'specs', confidence: 1, sources: [], model: 'm', usage: null };
    for (const size of [1, 5, answer.length]) {
      const events: RunEvent[] = [];
      for (let at = 0; at < answer.length; at += size) {
        events.push({ type: 'text.delta', at, text: answer.slice(at, at + size) });
      }
      events.push({ type: 'run.completed', text: answer, metadata });
      const shown = frames(fastchatUser, events).flatMap(({ frame }) => seen(frame));
      const pieces = shown.slice(0, -1) as { response: string; content: string; first_chunk: boolean }[];
      expect(pieces.map(({ response }) => response).join('')).toBe(answer);
      expect(pieces.map(({ content }) => content).join('')).toBe(answer);
      expect(pieces.findLastIndex(({ first_chunk }) => first_chunk)).toBe(0);
      expect(shown.indexOf('--eof')).toBe(shown.length - 1);
    }
  });

  it('puts the cursor on the last JSON frame of each event and leaves the terminator alone', () => {
    const events = turns[0]?.events.map((event) => RunEvent.parse(event)) ?? [];
    const encoded = frames(fastchatUser, events, 's', { cursor: 'here' });
    const shown = encoded.map(({ frame }) => seen(frame)).filter((of) => of.length > 0);
    for (const of of shown) {
      const objects = of.filter((frame) => frame !== '--eof') as { cursor?: string }[];
      expect(objects.map(({ cursor }) => cursor)).toEqual(
        objects.map((_, i) => (i < objects.length - 1 ? undefined : 'here')),
      );
    }
    expect(shown.at(-1)?.at(-1)).toBe('--eof');
  });

  it('leaves the query frame out when nobody knows the question any more', () => {
    const encoded = frames(fastchatUser, [{ type: 'step.started', step: 'generating' }]);
    expect(encoded.flatMap(({ frame }) => seen(frame))).toEqual([
      expect.objectContaining({ step: 'Select service' }),
      { type: 'data', data: { service: null, args: null } },
    ]);
  });

  it('shows what others say in a room, with the bus-wide id that edits name', () => {
    expect(seen(fastchatUser.encodePlaceEvent(posted, { ...place, cursor: 'c1' }))).toEqual([
      {
        type: 'message',
        role: 'user',
        content: 'Hello',
        id: posted.run,
        message_id: 'm-1',
        user_id: 'bob',
        username: 'Bob',
        timestamp: '2026-01-01T00:00:00.000Z',
        chat_id: 'lobby',
        room_id: 'lobby',
        cursor: 'c1',
      },
    ]);
    const edited: PlaceEvent = { type: 'message.edited', run: posted.run, text: 'Hi', by: 'bob', at: 1 };
    expect(seen(fastchatUser.encodePlaceEvent(edited, place))).toEqual([
      { type: 'message_edited', id: posted.run, content: 'Hi', chat_id: 'lobby', room_id: 'lobby' },
    ]);
  });

  it('has no frame for typing and presence, nor for what original clients could not expect', () => {
    const typing: PlaceEvent = { type: 'typing', sub: 'bob', name: null, isTyping: true };
    expect(fastchatUser.encodePlaceEvent(typing, place)).toBeNull();
    expect(fastchatUser.encodeNotice({ type: 'heartbeat', atMs: 0 })).toBeNull();
  });

  it('closes a refused connection with 1008', () => {
    for (const { manner, closes } of [fastchatUser, fastchatAdmin]) {
      expect(manner).toMatchObject({ refusedToken: 'invalidToken', tokenAtOpen: true, anonymous: false });
      expect(closes.invalidToken?.code).toBe(1008);
    }
  });
});

describe('an upgrade request of fastchat-v1', () => {
  it('brings the token of its own route in a header, or in the query where headers cannot be set', () => {
    const both = { 'access-token': 'a', 'master-token': 'm' };
    expect(fastchatUser.open(handshake({}, both)).credential).toEqual({ token: 'a', use: 'client' });
    expect(fastchatAdmin.open(handshake({}, both)).credential).toEqual({ token: 'm', use: 'master' });
    const query = { access_token: 'qa', master_token: 'qm' };
    expect(fastchatUser.open(handshake(query)).credential).toEqual({ token: 'qa', use: 'client' });
    expect(fastchatAdmin.open(handshake(query)).credential).toEqual({ token: 'qm', use: 'master' });
    expect(fastchatUser.open(handshake(query, both)).credential?.token).toBe('a');
  });

  it('[fastchat/example-servers] has the shape of the example and takes effect', () => {
    const opening = fastchatUser.open(
      handshake(
        { chat_id: 'my-chat', model: 'my-model', llm_provider: 'openai', len_context: '7', seq: '1' },
        {
          aditional_servers: `'{"github":{"protocol":"httpstream","httpstream-url":"https://api.example.com/mcp"}}'`,
        },
      ),
    );
    expect(opening).toMatchObject({ session: 'my-chat', cursors: true, problem: null });
    expect(opening.options).toEqual({
      model: 'my-model',
      provider: 'openai',
      contextMessages: 7,
      toolServers: [{ name: 'github', protocol: 'httpstream', url: 'https://api.example.com/mcp' }],
    });
  });

  it('shows the model 20 messages where it says nothing, and 0 to 100 where it does', () => {
    const context = (value: Record<string, string>) => fastchatUser.open(handshake(value));
    expect(context({}).options).toEqual({ contextMessages: 20 });
    expect(context({ len_context: '0' }).options.contextMessages).toBe(0);
    expect(context({ len_context: '100' }).options.contextMessages).toBe(100);
    for (const len_context of ['101', '-1', '1e1', 'ten', '5.5', ' 5']) {
      expect(context({ len_context }).problem).toBe('INVALID_FIELD');
    }
  });

  it('has a problem with ids and names that are too long, and with what all wires refuse', () => {
    const queries: Record<string, string>[] = [
      { chat_id: 'x'.repeat(129) },
      { chat_id: '\ud83d' },
      { model: 'x'.repeat(129) },
      { llm_provider: 'x'.repeat(65) },
      { on_busy: 'shout' },
    ];
    for (const query of queries) {
      expect(fastchatUser.open(handshake(query)).problem).toBe('INVALID_FIELD');
    }
  });
});
