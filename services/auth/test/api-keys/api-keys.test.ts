import type { ApiKeysReply, ApiKeysRequest } from '@natter/proto';
import { BusError } from '@natter/runtime';
import { frozenClock } from '@natter/testkit';
import { describe, expect, it } from 'vitest';
import { ApiKeys } from '../../src/api-keys/api-keys.ts';
import { LOG } from '../forge.ts';
import { knownApiKeys } from './known-api-keys.ts';

function keysUnderTest(limit = 3) {
  const time = frozenClock();
  const known = knownApiKeys(time.now);
  const keys = new ApiKeys({ store: known.store, log: LOG, limit, now: time.now });
  const names = async () => granted(await keys.answer({ op: 'list' })).keys.map(({ name }) => name);
  return { time, known, keys, names };
}

function granted(reply: ApiKeysReply) {
  if (!reply.ok) throw new Error(reply.reason);
  return reply;
}

const CREATE: ApiKeysRequest = { op: 'create', name: 'ci', scopes: ['admin'] };

describe('create', () => {
  it('[apikeys/shown-once] [apikeys/hashed] returns the key once, and stores its hash only', async () => {
    const { keys, known, time } = keysUnderTest();
    const { key, keys: made } = granted(
      await keys.answer({ op: 'create', name: 'ci', scopes: ['logs:read', 'logs:read'], ttlS: 60 }),
    );
    expect(key).toMatch(/^nk_[a-z0-9]{16}_[A-Za-z0-9_-]{43}$/);
    const id = key?.split('_')[1];
    const now = time.now();
    const info = { id, name: 'ci', scopes: ['logs:read'], createdAt: now, expiresAt: now + 60_000 };
    expect(made).toEqual([info]);
    const listed = await keys.answer({ op: 'list' });
    expect(listed).toEqual({ ok: true, keys: [info] });
    expect(JSON.stringify([...known.records.values()])).not.toContain(key?.slice(-43));
  });

  it('makes another key each time, and one that never expires without a ttl', async () => {
    const { keys } = keysUnderTest();
    const [one, other] = [granted(await keys.answer(CREATE)), granted(await keys.answer(CREATE))];
    expect(one.key).not.toBe(other.key);
    expect(one.keys[0]?.id).not.toBe(other.keys[0]?.id);
    expect(one.keys[0]?.expiresAt).toBeNull();
  });

  it('refuses one key too many, and leaves nothing of it', async () => {
    const { keys, known } = keysUnderTest(3);
    for (let made = 0; made < 3; made += 1) known.make();
    expect(await keys.answer(CREATE)).toEqual({ ok: false, reason: 'too_many' });
    expect(known.records.size).toBe(3);
  });

  it('finds room where keys have expired', async () => {
    const { keys, known, time, names } = keysUnderTest(3);
    for (let made = 0; made < 3; made += 1) known.make(['admin'], time.now() + 1);
    time.advance(1);
    expect(await keys.answer(CREATE)).toMatchObject({ ok: true });
    expect(await names()).toEqual(['ci']);
    expect(known.records.size).toBe(1);
  });
});

describe('list', () => {
  it('leaves out what has expired or cannot be read, and takes away the expired and the deleted', async () => {
    const { known, time, names } = keysUnderTest();
    known.make(['admin'], time.now() + 10);
    known.make(['admin'], time.now() + 11);
    known.records.set('x'.repeat(16), null);
    known.marks.add('y'.repeat(16));
    time.advance(10);
    expect(await names()).toEqual(['key 1']);
    expect(known.records.size).toBe(2);
    expect(known.marks.size).toBe(0);
  });

  it('does not fail because an expired key stays', async () => {
    const { known, time, names } = keysUnderTest();
    known.make(['admin'], time.now());
    known.store.forget = () => Promise.reject(new BusError('UNAVAILABLE', 'gone again'));
    expect(await names()).toEqual([]);
  });
});

describe('revoke', () => {
  it('says which key it was, and finds it once', async () => {
    const { keys, known } = keysUnderTest();
    const { id } = known.make();
    expect(await keys.answer({ op: 'revoke', id })).toMatchObject({
      ok: true,
      keys: [{ id, name: 'key 0' }],
    });
    expect(await keys.answer({ op: 'revoke', id })).toEqual({ ok: false, reason: 'not_found' });
  });

  it('takes away an unreadable record too', async () => {
    const { keys, known } = keysUnderTest();
    known.records.set('x'.repeat(16), null);
    expect(await keys.answer({ op: 'revoke', id: 'x'.repeat(16) })).toEqual({ ok: true, keys: [] });
  });
});
