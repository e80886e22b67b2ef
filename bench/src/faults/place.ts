/** A room or a conversation of somebody's own, and everybody who is there during one part of the load. */
import type { FaultClient } from './fault-client.ts';

/** A message whose author was shown that it is on the broker's disk. */
export interface Acknowledged {
  key: string;
  text: string;
  /** Whether the AI has to answer it. */
  asks: boolean;
  /** By `performance.now`. */
  atMs: number;
}

export interface Place {
  name: string;
  /** Those who talk, and those who only listen. */
  speakers: FaultClient[];
  listeners: FaultClient[];
  acknowledged: Acknowledged[];
}

/** Begins what is said until everybody is there; those who came a little later have not heard all of it. */
export const HELLO = 'hello';

/** Of a greeting, or the answer to one. */
export function isHello(text: string): boolean {
  return text.startsWith(HELLO) || text.startsWith(`Echo: ${HELLO}`);
}

export function everybodyIn({ speakers, listeners }: Place): FaultClient[] {
  return [...speakers, ...listeners];
}

/** Its key on the bus, which every cursor names. */
export function conversationOf(place: Place): string {
  const cursor = everybodyIn(place).find((client) => client.cursor !== '')?.cursor;
  const key = cursor?.split('.')[1];
  if (key === undefined) throw new Error(`nobody in ${place.name} has a cursor`);
  return key;
}
