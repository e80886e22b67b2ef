import { loadConfig } from '@natter/runtime/config';
import { frozenClock } from '@natter/testkit';
import { describe, expect, it } from 'vitest';
import { GATEWAY_SETTINGS } from '../../src/config.ts';
import { SessionRegistry } from '../../src/session/session-registry.ts';

/** As many as are remembered at once. */
const LIMIT = 10_000;
const TYPING_MS = 10_000;

describe('SessionRegistry', () => {
  const registry = () => {
    const clock = frozenClock();
    return { clock, sessions: new SessionRegistry({ keys: () => new Map().keys() }, () => clock.now()) };
  };

  it('takes somebody to have stopped typing who has not said so for 10 s', () => {
    const { clock, sessions } = registry();
    sessions.setTyping('=room=1', 'alice', true);
    expect(sessions.typing('=room=1')).toEqual(['alice']);
    clock.advance(TYPING_MS + 1);
    expect(sessions.typing('=room=1')).toEqual([]);
    expect(sessions.stats().typing).toBe(0);
  });

  it('[rooms/env-cleanup] has room for others once those were cleaned up who never stopped typing', () => {
    const { clock, sessions } = registry();
    for (let index = 0; index < LIMIT; index += 1) sessions.setTyping('=full=1', `user-${index}`, true);
    clock.advance(TYPING_MS + 1);
    sessions.setTyping('=room=1', 'alice', true);
    expect(sessions.typing('=room=1')).toEqual([]);
    for (let index = 0; index < LIMIT; index += 1) sessions.setTyping('=full=1', `user-${index}`, true);
    clock.advance(TYPING_MS + 1);
    sessions.cleanUp();
    sessions.setTyping('=room=1', 'alice', true);
    expect(sessions.typing('=room=1')).toEqual(['alice']);
  });

  it('[rooms/env-cleanup] is cleaned up every 300 s, or as often as WEBSOCKET_CLEANUP_INTERVAL says', () => {
    const seconds = (env: Record<string, string>) => loadConfig(GATEWAY_SETTINGS, env).config.cleanupSeconds;
    expect(seconds({})).toBe(300);
    expect(seconds({ WEBSOCKET_CLEANUP_INTERVAL: '60' })).toBe(60);
  });
});
