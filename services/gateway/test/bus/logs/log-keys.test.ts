import { apiKeySub, type Principal, SUBJECTS, type VerifyReply } from '@natter/proto';
import { type BusMessage, createLogger } from '@natter/runtime';
import { frozenClock } from '@natter/testkit';
import { describe, expect, it, vi } from 'vitest';
import { type KeyHolder, LogKeys } from '../../../src/bus/logs/log-keys.ts';

const settled = () => new Promise((resolve) => setImmediate(resolve));

function rig() {
  const clock = frozenClock();
  let changed: (message: BusMessage) => void = () => {};
  let reconnected: () => void = () => {};
  const principal = (id: string, scopes = ['logs:read']): Principal => ({
    ...{ sub: apiKeySub(id), email: null, name: id, roles: [], scopes },
    expiresAt: clock.now() / 1_000 + 3_600,
  });
  const verify = vi.fn(
    async (token: string): Promise<VerifyReply> => ({ ok: true, principal: principal(token) }),
  );
  const keys = new LogKeys({
    auth: { verify },
    bus: {
      subscribe: (subject, handler) => {
        expect(subject).toBe(SUBJECTS.apiKeyChanged('*'));
        changed = handler;
        return { close: () => {} };
      },
      onReconnect: (callback) => {
        reconnected = () => void callback();
      },
    },
    log: createLogger('gateway', 'silent'),
    now: clock.now,
  });
  const hold = (token: string, changes = keys.changes) => {
    const holder = { token, principal: principal(token), end: vi.fn<KeyHolder['end']>() };
    keys.add(holder, changes);
    return holder;
  };
  const change = (id: string) => changed({ subject: SUBJECTS.apiKeyChanged(id) } as BusMessage);
  return { clock, keys, verify, hold, change, principal, reconnect: () => reconnected() };
}

describe('LogKeys', () => {
  it('judges a changed key at once and once for all who hold it, and no other', async () => {
    const { hold, change, verify, principal } = rig();
    const [one, two, other] = [hold('a'), hold('a'), hold('b')];
    verify.mockResolvedValueOnce({ ok: true, principal: principal('a', ['admin']) });
    change('a');
    await settled();
    expect(verify.mock.calls).toEqual([['a', 'api_key']]);
    expect([one, two, other].map(({ principal: { scopes } }) => scopes[0])).toEqual([
      'admin',
      'admin',
      'logs:read',
    ]);
    expect(one.end).not.toHaveBeenCalled();
  });

  it('judges a key each minute, in case nobody has told that it is revoked', async () => {
    const { clock, keys, hold, verify } = rig();
    const { end } = hold('a');
    for (let second = 1; second <= 60; second += 1) {
      expect(verify).not.toHaveBeenCalled();
      clock.advance(1_000);
      keys.tick();
      await settled();
    }
    expect(verify).toHaveBeenCalledOnce();
    clock.advance(60_000);
    // That auth is away is no reason to doubt it.
    verify.mockResolvedValue({ ok: false, reason: 'unavailable' });
    for (let second = 0; second < 30; second += 1) {
      keys.tick();
      await settled();
      clock.advance(1_000);
    }
    expect(end).not.toHaveBeenCalled();
    verify.mockResolvedValueOnce({ ok: false, reason: 'invalid' });
    keys.tick();
    await settled();
    expect(end.mock.calls).toEqual([['keyRevoked']]);
  });

  it.each([
    ['is revoked', { ok: false, reason: 'invalid' }],
    ['has expired', { ok: false, reason: 'expired' }],
  ] as const)('shuts out who holds a key that %s', async (_how, verdict) => {
    const { hold, change, verify } = rig();
    const [one, two, other] = [hold('a'), hold('a'), hold('b')];
    verify.mockResolvedValueOnce(verdict);
    change('a');
    await settled();
    for (const { end } of [one, two]) expect(end.mock.calls).toEqual([['keyRevoked']]);
    expect(other.end).not.toHaveBeenCalled();
  });

  it('shuts out who may not read any more', async () => {
    const { hold, change, verify, principal } = rig();
    const one = hold('a');
    verify.mockResolvedValueOnce({ ok: true, principal: principal('a', ['logs:write']) });
    change('a');
    await settled();
    expect(one.end.mock.calls).toEqual([['keyRevoked']]);
  });

  it('judges every key after a reconnect', async () => {
    const { hold, reconnect, verify } = rig();
    hold('a');
    hold('b');
    reconnect();
    await settled();
    expect(verify.mock.calls.map(([token]) => token)).toEqual(['a', 'b']);
  });

  it('tries again while nobody can judge, and shuts out after 15 s', async () => {
    const { hold, change, verify, keys, clock } = rig();
    const [lucky, unlucky] = [hold('a'), hold('b')];
    verify.mockRejectedValueOnce(new Error('down')).mockResolvedValue({ ok: false, reason: 'unavailable' });
    change('a');
    change('b');
    for (let second = 1; second < 15; second += 1) {
      clock.advance(1_000);
      keys.tick();
      await settled();
    }
    expect([lucky.end, unlucky.end].map(({ mock }) => mock.calls.length)).toEqual([0, 0]);
    verify.mockImplementation(async (token) =>
      token === 'a' ? { ok: true, principal: lucky.principal } : { ok: false, reason: 'unavailable' },
    );
    keys.tick();
    await settled();
    clock.advance(1_000);
    keys.tick();
    expect(lucky.end).not.toHaveBeenCalled();
    expect(unlucky.end.mock.calls).toEqual([['unavailable']]);
  });

  it('shuts out when the key expires', () => {
    const { hold, keys, clock } = rig();
    const one = hold('a');
    clock.advance(3_599_000);
    keys.tick();
    expect(one.end).not.toHaveBeenCalled();
    clock.advance(1_000);
    keys.tick();
    keys.tick();
    expect(one.end.mock.calls).toEqual([['keyRevoked']]);
  });

  it('judges a key anew that was changed while it was being verified', async () => {
    const { hold, change, verify, keys } = rig();
    const before = keys.changes;
    change('a');
    verify.mockResolvedValueOnce({ ok: false, reason: 'invalid' });
    const one = hold('a', before);
    await settled();
    expect(one.end.mock.calls).toEqual([['keyRevoked']]);
  });

  it('does not take an earlier verdict for one on a later change', async () => {
    const { hold, change, verify } = rig();
    const one = hold('a');
    const { promise, resolve } = Promise.withResolvers<VerifyReply>();
    verify.mockReturnValueOnce(promise).mockResolvedValueOnce({ ok: false, reason: 'invalid' });
    change('a');
    await settled();
    change('a');
    resolve({ ok: true, principal: one.principal });
    await settled();
    expect(one.end.mock.calls).toEqual([['keyRevoked']]);
  });

  it('leaves alone who has gone', async () => {
    const { hold, change, keys, verify } = rig();
    const one = hold('a');
    keys.delete(one);
    change('a');
    await settled();
    expect([verify.mock.calls.length, one.end.mock.calls.length]).toEqual([0, 0]);
  });
});
