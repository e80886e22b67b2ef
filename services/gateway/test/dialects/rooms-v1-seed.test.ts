import { readFileSync } from 'node:fs';
import type { RunEvent } from '@natter/proto';
import clientFrames from '@natter/proto/corpus/rooms-v1/client-frames.json' with { type: 'json' };
import examples from '@natter/proto/corpus/rooms-v1/seed-examples.json' with { type: 'json' };
import { describe, expect, it } from 'vitest';
import { roomsV1 } from '../../src/dialects/rooms-v1/codec.ts';
import type { Frames, Place } from '../../src/session/dialect.ts';
import { frames } from './contract.ts';

/** The seed document, byte for byte. */
const SEED = readFileSync(
  new URL('../../../../e2e/fixtures/seeds-004/document.md', import.meta.url),
  'utf8',
).split('\n');

const NOON = Date.UTC(2024, 0, 1, 12);
const RUN = 'a'.repeat(26);
const OWN: Place = { room: null, session: '123' };

const STARTED: RunEvent = {
  type: 'run.started',
  messageId: 'unique-id',
  sub: 'user1',
  name: null,
  text: 'Your message here',
  askedAt: NOON,
};

/** What our codec sends where the seed shows the example of a line. */
const OURS: Record<number, () => Frames> = {
  91: () =>
    roomsV1.encodeNotice({
      type: 'connected',
      connection: 'uuid-string',
      principal: { sub: 'user1', email: null, name: null, roles: [], scopes: [], expiresAt: 1 },
      atMs: NOON,
    }),
  103: () => roomsV1.encodeNotice({ type: 'heartbeat', atMs: NOON }),
  133: () => ofRun({ type: 'text.delta', at: 0, text: 'Partial response...' }),
  147: () =>
    ofRun({
      type: 'run.completed',
      text: '',
      metadata: {
        agent: 'specs',
        confidence: 1,
        sources: [],
        model: 'gpt-4',
        usage: { inputTokens: 100, outputTokens: 50 },
        costUsd: 0.003,
        responseMs: 2_500,
      },
    }),
  190: () =>
    roomsV1.encodeNotice({
      type: 'joined',
      room: {
        key: '=room-123=x',
        id: 'room-123',
        name: 'My Chat Room',
        type: 'private',
        ai: 'always',
        owner: 'user1',
        createdAt: NOON,
      },
      role: 'owner',
      participants: [
        { sub: 'user1', name: null },
        { sub: 'user2', name: null },
      ],
      atMs: NOON,
    }),
  217: () =>
    roomsV1.encodePlaceEvent(
      { type: 'typing', sub: 'user123', name: 'john_doe', isTyping: true },
      { room: 'room-123', session: 'room-123', cursor: null, position: null, queued: false, atMs: NOON },
    ),
  274: () =>
    roomsV1.encodeNotice({
      type: 'confirmed',
      status: 'delivered',
      messageId: 'msg-123',
      run: RUN,
      place: OWN,
      atMs: NOON,
    }),
  286: () => roomsV1.encodeError('RATE_LIMIT', { correlationId: 'c0ffee', retryAfter: 60 }),
};

/** Where ours differs on purpose: the seed numbers answers, ours have the bus-wide id. */
const DIFFERS: Record<number, object> = { 147: { message_id: RUN } };

function ofRun(event: RunEvent): Frames {
  const all = frames(roomsV1, [STARTED, event], OWN.session, { atMs: NOON });
  return all.at(-1)?.frame ?? null;
}

/** The same keys, all the way down, and of each value its JSON type. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return expect.arrayContaining(value.slice(0, 1).map(shapeOf));
  if (value !== null && typeof value === 'object') {
    return expect.objectContaining(
      Object.fromEntries(Object.entries(value).map(([key, field]) => [key, shapeOf(field)])),
    );
  }
  return value === null ? null : expect.any(Object(value).constructor);
}

/** ISO 8601 with milliseconds says the same as without. */
function withoutMs(text: string): string {
  return text.replaceAll('12:00:00.000Z', '12:00:00Z');
}

const CLIENT = examples.filter(({ side }) => side === 'client');
const SERVER = examples.filter(({ side }) => side === 'server');

describe('the examples of seeds/004', () => {
  it('are all in the corpus, with the line where each begins', () => {
    const lines = SEED.flatMap((line, index) => (line === '```json' ? [index + 1] : []));
    expect(examples.map(({ line }) => line)).toEqual(lines);
    for (const { line, example } of examples) {
      const end = SEED.indexOf('```', line);
      expect(JSON.parse(SEED.slice(line, end).join('\n'))).toEqual(example);
    }
  });

  it.each(CLIENT)('are golden frames of clients: $name, line $line', ({ line, example }) => {
    const golden = clientFrames.find(({ source }) => source === `seeds/004:${line}`);
    expect(JSON.parse(golden?.text ?? 'null')).toEqual(example);
  });

  it.each(CLIENT)('decode: $name, line $line', ({ example }) => {
    const decoded = roomsV1.decode(new TextEncoder().encode(JSON.stringify(example)), false);
    // What the seed shows as a part's data is a word for it, and no base64.
    if ('chunk_data' in (example.data ?? {}))
      expect(decoded).toMatchObject({ ok: false, code: 'CHUNK_INVALID' });
    else expect(decoded.ok).toBe(true);
  });

  it.each(SERVER)('have all keys in ours, of the same types: $name, line $line', ({ line, example }) => {
    const [first] = [OURS[line]?.() ?? []].flat();
    const shape = { ...example, data: { ...example.data, ...DIFFERS[line] } };
    expect(JSON.parse(first ?? 'null')).toEqual(shapeOf(shape));
  });

  it.each(SERVER)('say in ours what they say: $name, line $line', ({ line, example }) => {
    const [first] = [OURS[line]?.() ?? []].flat();
    const ours = JSON.parse(withoutMs(first ?? 'null'));
    expect(ours).toMatchObject({ ...example, data: { ...example.data, ...DIFFERS[line] } });
  });
});
