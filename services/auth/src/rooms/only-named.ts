/** Of rooms, those that their id means to a user. */
import type { Asker, RoomView } from '@natter/proto';
import { inBatches } from '../in-batches.ts';
import { namedRoom } from './room-names.ts';
import type { Stores } from './stores.ts';

/** Reads under way for one request. */
const BATCH = 8;

/**
 * Leaves out namesakes: who adds somebody to a group of the same id as a private room of theirs
 * must not be taken for that room.
 */
export async function onlyNamed(stores: Stores, who: Asker, views: readonly RoomView[]): Promise<RoomView[]> {
  const named = await inBatches(views, BATCH, async (view) => {
    const meant = await namedRoom(stores, who, view.room.id);
    // Null: a conversation of their own that no record makes a room.
    return meant === null || meant.room.key === view.room.key ? view : null;
  });
  return named.filter((view) => view !== null);
}
