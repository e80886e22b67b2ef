import { frozenClock } from '@natter/testkit';
import { describe, expect, it } from 'vitest';
import { chatSockets } from '../../src/session/chat-sockets.ts';
import type { Handshake } from '../../src/session/dialect.ts';
import { SessionRegistry } from '../../src/session/session-registry.ts';
import { plainDialect } from '../plain-dialect.ts';
import { rig } from './rig.ts';

const LIMITS = { maxFrameBytes: 65_536, maxChunkBytes: 1_048_576 };
const NO_ROOMS = { keys: () => new Map<string, never>().keys() };

const handshake: Handshake = {
  param: () => '',
  query: () => undefined,
  queries: () => [],
  header: () => '',
};

describe('chat sockets', () => {
  it('are in the registry from their first moment to their last', () => {
    const { session } = rig();
    const dialect = { ...plainDialect(), open: () => session.opening };
    const sessions = new SessionRegistry(NO_ROOMS, frozenClock().now);
    const [route] = chatSockets([dialect], session.context, sessions, LIMITS);
    const begun = route?.accept(handshake)(session.socket);
    expect([...sessions]).toEqual([begun]);
    begun?.ended();
    expect([...sessions]).toEqual([]);
  });

  it('take frames with a part of an upload, in base64, only where the wire has uploads', () => {
    const [without = 0, withUploads = 0] = [false, true].map((uploads) => {
      const sessions = new SessionRegistry(NO_ROOMS, frozenClock().now);
      const routes = chatSockets([plainDialect({ uploads })], rig().session.context, sessions, LIMITS);
      return routes[0]?.maxFrameBytes;
    });
    const part = Buffer.alloc(LIMITS.maxChunkBytes).toString('base64');
    expect(without).toBe(LIMITS.maxFrameBytes);
    expect(withUploads).toBeGreaterThanOrEqual(part.length + 16_384);
  });
});
