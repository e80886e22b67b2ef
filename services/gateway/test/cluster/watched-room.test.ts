import { describe, expect, it } from 'vitest';
import type { PresenceEvent } from '../../src/cluster/local-presence.ts';
import { WatchedRoom } from '../../src/cluster/watched-room.ts';

function room() {
  const watched = new WatchedRoom('room', { users: () => [], has: () => false });
  const changes: string[] = [];
  watched.listeners.add(({ type, sub }) => changes.push(`${sub} ${type}`));
  watched.tell();
  return { watched, changes, who: () => watched.people.map(({ sub }) => sub).sort() };
}

function came(n: number, ...subs: string[]): PresenceEvent {
  return { type: 'presence', gateway: 'a', n, came: subs.map((sub) => ({ sub, name: null })), went: [] };
}

function went(n: number, ...subs: string[]): PresenceEvent {
  return { type: 'presence', gateway: 'a', n, came: [], went: subs };
}

const people = (...subs: string[]) => subs.map((sub) => ({ sub, name: null }));

describe('WatchedRoom', () => {
  it('holds what comes behind a gap until the gateway has answered', () => {
    const { watched, changes, who } = room();
    expect(watched.apply({ ...came(1, 'alice'), first: true })).toBe(true);
    expect(watched.apply(came(3, 'carol'))).toBe(false);
    watched.apply(went(4, 'alice'));
    expect([who(), watched.torn]).toEqual([['alice'], true]);
    expect(watched.answered('a', 2, people('alice', 'bob'))).toBe(true);
    expect([who(), watched.torn]).toEqual([['bob', 'carol'], false]);
    expect(changes).toEqual(['alice came', 'bob came', 'carol came', 'alice went']);
  });

  it('wants another answer when the gap is behind the first one', () => {
    const { watched, who } = room();
    watched.apply(came(5, 'alice'));
    expect(watched.answered('a', 3, people('bob'))).toBe(false);
    expect([who(), watched.torn]).toEqual([['bob'], true]);
    expect(watched.answered('a', 5, people('alice', 'bob'))).toBe(true);
    expect([who(), watched.torn]).toEqual([['alice', 'bob'], false]);
  });

  it('ignores an answer that is older than the changes it knows, and a change it has', () => {
    const { watched, changes } = room();
    watched.answered('a', 4, people('alice'));
    watched.apply(went(5, 'alice'));
    watched.answered('a', 4, people('alice'));
    watched.apply(came(4, 'alice'));
    expect(changes).toEqual(['alice came', 'alice went']);
  });

  it('begins anew with a gateway where nobody was before', () => {
    const { watched, who } = room();
    watched.answered('a', 4, people('alice'));
    expect(watched.apply({ ...came(9, 'bob'), first: true })).toBe(true);
    expect(who()).toEqual(['bob']);
  });

  it('holds 64 events at most, and asks about the rest', () => {
    const { watched, who } = room();
    for (let n = 2; n <= 100; n += 1) watched.apply(came(n, `u${n}`));
    expect(watched.answered('a', 1, [])).toBe(true);
    expect(who()).toHaveLength(64);
    expect(watched.apply(came(101, 'late'))).toBe(false);
  });
});
