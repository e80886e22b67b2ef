/** Adds to verified tokens which of the rooms they came with their owners may be in. */
import { ACCESS_AT_ONCE, type RoomView, type VerifyReply, type VerifyRequest } from '@natter/proto';
import type { Logger } from '@natter/runtime';
import type { Rooms } from './rooms.ts';
import type { StoreOpener } from './stores.ts';

/** How long the verdict about a token waits for this: gateways give up after 3 s by default. */
const ROOMS_MS = 1_000;

export interface RoomsOfTokensParts {
  rooms: Pick<Rooms, 'accesses'>;
  stores: Pick<StoreOpener, 'open'>;
  log: Logger;
}

/**
 * Of 128 rooms at most, for all of the tokens; whoever is told of none asks again by `auth.rooms`.
 *
 * Never rejects: that nobody can tell about rooms is no reason to refuse a token.
 */
export async function addRooms(
  asks: readonly VerifyRequest[],
  replies: readonly VerifyReply[],
  { rooms, stores, log }: RoomsOfTokensParts,
): Promise<VerifyReply[]> {
  const questions = replies.flatMap((reply, index) => {
    if (!reply.ok) return [];
    const { sub, name, roles } = reply.principal;
    const who = { sub, name, admin: roles.includes('admin') };
    return (asks[index]?.rooms ?? []).map((key) => ({ index, ask: { who, key } }));
  });
  if (questions.length === 0) return [...replies];
  const asked = questions.slice(0, ACCESS_AT_ONCE);
  let views: readonly (RoomView | null)[] | null;
  try {
    const access = async () =>
      rooms.accesses(
        await stores.open(),
        asked.map(({ ask }) => ask),
      );
    views = await inTime(access());
  } catch (err) {
    log.warn({ err }, 'tokens are verified, but who may be where could not be answered');
    return [...replies];
  }
  if (views === null) return [...replies];
  const told = new Map<number, RoomView[]>();
  for (const [at, { index }] of asked.entries()) {
    const view = views[at] ?? null;
    told.set(index, [...(told.get(index) ?? []), ...(view === null ? [] : [view])]);
  }
  // Those of whose rooms only some were asked for are not told of any.
  for (const { index } of questions.slice(ACCESS_AT_ONCE)) told.delete(index);
  return replies.map((reply, index) => {
    const known = told.get(index);
    return reply.ok && known !== undefined ? { ...reply, rooms: known } : reply;
  });
}

/** Null when it takes too long. */
async function inTime<T>(answer: Promise<T>): Promise<T | null> {
  const { promise: late, resolve } = Promise.withResolvers<null>();
  const timer = setTimeout(() => resolve(null), ROOMS_MS);
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
