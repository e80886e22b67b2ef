/** The parts that all frames of rooms-v1 are made of. */
import type { Place } from '../../session/dialect.ts';

/** Who types when the AI does. Source: PROTOCOLS, rooms-v1. */
export const ASSISTANT = { user_id: 'assistant', username: 'AI Assistant' } as const;

/** One frame. Fields that are undefined are left out, and so is a cursor nobody asked for. */
export function frame(type: string, data: object, cursor: string | null = null): string {
  return JSON.stringify({ type, data, cursor: cursor ?? undefined });
}

/** Where it happens: the room only in a room. */
export function where(place: Place): { conversation_id: number | string; room_id: string | undefined } {
  return { conversation_id: conversationId(place.session), room_id: place.room ?? undefined };
}

/** A client that sent 123 gets 123. A name that JSON's numbers can't keep apart stays a text. */
export function conversationId(name: string): number | string {
  if (!/^(?:0|-?[1-9][0-9]{0,15})$/.test(name)) return name;
  const number = Number(name);
  return Number.isSafeInteger(number) ? number : name;
}

let lastMs = Number.NaN;
let lastIso = '';

/** ISO 8601 in UTC. The last one is kept: tokens of many runs come in one millisecond. */
export function isoTime(ms: number): string {
  if (ms !== lastMs) {
    lastIso = new Date(ms).toISOString();
    lastMs = ms;
  }
  return lastIso;
}
