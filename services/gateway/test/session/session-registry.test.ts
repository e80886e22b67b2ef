import { frozenClock } from '@natter/testkit';
import { describe, expect, it } from 'vitest';
import { SessionRegistry } from '../../src/session/session-registry.ts';
import { rig, signedIn } from './rig.ts';

const noRooms = { keys: () => new Map<string, never>().keys() };

describe('SessionRegistry', () => {
  it('knows who is typing, until they stop or are silent for 10 s', () => {
    const clock = frozenClock();
    const registry = new SessionRegistry(noRooms, clock.now);
    registry.setTyping('k', 'alice', true);
    registry.setTyping('k', 'bob', true);
    registry.setTyping('other', 'carol', true);
    registry.setTyping('k', 'bob', false);
    expect(registry.typing('k')).toEqual(['alice']);
    clock.advance(10_001);
    expect([registry.typing('k'), registry.stats().typing]).toEqual([[], 0]);
  });

  it('remembers no more than 10,000 who type', () => {
    const registry = new SessionRegistry(noRooms, frozenClock().now);
    for (let number = 0; number < 10_010; number += 1) registry.setTyping('k', `user ${number}`, true);
    expect(registry.stats().typing).toBe(10_000);
  });

  it('[rooms/env-cleanup] forgets who is long since typing when it is cleaned up, and shows others then', () => {
    const clock = frozenClock();
    const registry = new SessionRegistry(noRooms, clock.now);
    for (let number = 0; number < 10_000; number += 1) registry.setTyping('k', `user ${number}`, true);
    clock.advance(10_001);
    registry.cleanUp();
    registry.setTyping('k', 'alice', true);
    expect(registry.typing('k')).toEqual(['alice']);
  });

  it('finds connections by id and by user, once it is known whose they are', async () => {
    const registry = new SessionRegistry(noRooms, frozenClock().now);
    const [mine, nobodys] = [await signedIn(), rig()];
    for (const { session } of [mine, nobodys]) registry.add(session);
    expect(registry.ofUser('alice').map(({ connection_id }) => connection_id)).toEqual([mine.session.id]);
    expect(registry.connection(nobodys.session.id)).toBeNull();
    expect(registry.connection('unknown')).toBeNull();
    expect(registry.stats()).toMatchObject({ connections: 2, users: new Set(['alice']) });
    registry.delete(mine.session);
    expect(registry.ofUser('alice')).toEqual([]);
  });
});
