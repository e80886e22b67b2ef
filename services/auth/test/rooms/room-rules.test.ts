import type { Member, Room } from '@natter/proto';
import { describe, expect, it } from 'vitest';
import { type ModerationOp, mayJoin, moderated } from '../../src/rooms/room-rules.ts';
import { asker } from './asker.ts';

const room = (type: Room['type']): Room => ({
  key: '=r=1',
  id: 'r',
  name: 'r',
  type,
  ai: 'always',
  owner: 'olga',
  createdAt: 1,
});
const STATES = ['member', 'invited', 'banned', 'removed', 'left', null] as const;
type State = (typeof STATES)[number];
const member = (state: State, sub = 'bob'): Member | null =>
  state === null ? null : { sub, name: null, role: 'member', state, by: 'olga', at: 1 };

describe('who may join', () => {
  it.each([
    ['shared', ['member', 'invited', 'removed', 'left', null]],
    ['group', ['member', 'invited']],
  ] as const)('a %s room: those who are %s', (type, allowed) => {
    const joining = STATES.filter((state) => mayJoin(room(type), member(state), asker('bob')));
    expect(new Set(joining)).toEqual(new Set(allowed));
  });

  it('a group: its owner and admins, unless banned', () => {
    expect(mayJoin(room('group'), member('left', 'olga'), asker('olga'))).toBe(true);
    expect(mayJoin(room('group'), null, asker('ada', { admin: true }))).toBe(true);
    expect(mayJoin(room('group'), member('banned', 'ada'), asker('ada', { admin: true }))).toBe(false);
  });
});

describe('what a user becomes', () => {
  it.each<[ModerationOp, (State | 'INVALID_FIELD')[]]>([
    // Of those who are: member, invited, banned, removed, left, nothing. Null: they stay it.
    ['invite', [null, null, 'INVALID_FIELD', 'invited', 'invited', 'invited']],
    ['add', [null, 'member', 'INVALID_FIELD', 'member', 'member', 'member']],
    ['kick', ['removed', 'removed', null, null, null, null]],
    ['ban', ['banned', 'banned', null, 'banned', 'banned', 'banned']],
    ['unban', [null, null, 'removed', null, null, null]],
  ])('by %s', (op, expected) => {
    const becomes = STATES.map((state) => {
      try {
        return moderated(op, room('group'), 'bob', member(state));
      } catch (error) {
        return (error as { code: string }).code;
      }
    });
    expect(becomes).toEqual(expected);
  });

  it.each(['kick', 'ban'] as const)('the owner is not to %s', (op) => {
    expect(() => moderated(op, room('shared'), 'olga', member('member', 'olga'))).toThrow(
      expect.objectContaining({ code: 'NOT_MODERATOR' }),
    );
  });
});
