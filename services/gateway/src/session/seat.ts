/** A place of one connection in one conversation that it watches, and what it takes to get one. */
import type { AiMode, Asker, Principal, Room, RoomType, RoomView } from '@natter/proto';
import type { Watching } from '../bus/conversation-hub.ts';
import type { Position } from '../bus/cursor.ts';
import type { Place } from './dialect.ts';

/** One conversation this connection watches. */
export interface Seat {
  readonly key: string;
  readonly place: Place;
  /** Null for a conversation of the user's own. */
  readonly room: { readonly id: string; readonly role: 'owner' | 'member' } | null;
  readonly watching: Watching;
}

export interface JoinRequest {
  id: string;
  type: RoomType | null;
  name: string | null;
  ai: AiMode | null;
}

/** In which of the rooms that were asked for a user may be, as the auth service said it. */
export interface ToldRooms {
  rooms: readonly RoomView[];
  /** When it was asked, in the time of RoomsHere: what happened since is looked at again. */
  moment: number;
}

/** What a seat needs to be taken. */
export interface SitRequest {
  key: string;
  place: Place;
  /** Of a room: what the auth service said, and from when on. */
  view?: RoomView;
  moment?: number;
  since: Position | null;
  /** Whether what was missed was queued for somebody who was away. */
  queued: boolean;
  begin: (recovered: boolean) => void;
}

/** What waits for a user is for any of their devices: this one may not have the beginning of an answer. */
export function withWholeAnswers(position: Position): Position;
export function withWholeAnswers(position: Position | null): Position | null;
export function withWholeAnswers(position: Position | null): Position | null {
  return position === null ? null : { ...position, run: '', at: 0, marks: 0 };
}

export function placeOf({ id }: Room): Place {
  return { room: id, session: id };
}

export function askerOf({ sub, name, roles }: Principal): Asker {
  return { sub, name, admin: roles.includes('admin') };
}
