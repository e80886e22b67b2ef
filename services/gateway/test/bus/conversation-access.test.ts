import { conversationKey, type RoomsReply, type RoomsRequest, roomKey } from '@natter/proto';
import { describe, expect, it } from 'vitest';
import { keyOfRoom, mayBeIn } from '../../src/bus/conversation-access.ts';
import { roomCalled } from '../session/rig.ts';

const WHO = { sub: 'alice', name: null, admin: false };
const KEY = roomKey('room-1', 'second');

function rooms(reply: RoomsReply) {
  const asked: RoomsRequest[] = [];
  return {
    asked,
    ask: async (request: RoomsRequest) => {
      asked.push(request);
      return reply;
    },
  };
}

const view = (key: string) => ({ room: roomCalled('room-1', { key }), role: 'member' as const });

describe('mayBeIn', () => {
  it('knows a conversation of their own by its key, and asks nobody', async () => {
    const none = rooms({ ok: true, rooms: [] });
    expect(await mayBeIn(none, WHO, conversationKey('alice', 'notes'))).toBe(true);
    expect(await mayBeIn(none, WHO, conversationKey('bob', 'notes'))).toBe(false);
    expect(await mayBeIn(none, WHO, 'no key')).toBe(false);
    expect(none.asked).toEqual([]);
  });

  it('asks about this very life of a room', async () => {
    const asked = rooms({ ok: true, rooms: [view(KEY)] });
    expect(await mayBeIn(asked, WHO, KEY)).toBe(true);
    expect(asked.asked).toEqual([{ op: 'access', who: WHO, keys: [KEY] }]);
    expect(await mayBeIn(rooms({ ok: true, rooms: [] }), WHO, KEY)).toBe(false);
    const other = rooms({ ok: true, rooms: [view(roomKey('room-1', 'first'))] });
    expect(await mayBeIn(other, WHO, KEY)).toBe(false);
  });

  it('throws where nobody can tell', async () => {
    const silent = rooms({ ok: false, code: 'UNAVAILABLE' });
    await expect(mayBeIn(silent, WHO, KEY)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});

describe('keyOfRoom', () => {
  it('is the key of the room that an id means to them, or the reason why there is none', async () => {
    const found = rooms({ ok: true, rooms: [view(KEY)] });
    expect(await keyOfRoom(found, WHO, 'room-1')).toEqual({ ok: true, key: KEY });
    const none = { ok: false, code: 'ROOM_DENIED' };
    expect(await keyOfRoom(rooms({ ok: false, code: 'ROOM_DENIED' }), WHO, 'x')).toMatchObject(none);
    expect(await keyOfRoom(rooms({ ok: true, rooms: [] }), WHO, 'x')).toMatchObject(none);
  });
});
