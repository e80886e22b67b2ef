/** Repeats a read and a conditional write until nobody else wrote in between. */
import { BusError, isBusError } from './errors.ts';

/** Far more writers than meet at one key: whoever loses has let another one through. */
const MAX_TRIES = 64;

/** `attempt` reads, decides and writes; it is repeated on CONFLICT. Throws BusError UNAVAILABLE in the end. */
export async function compareAndSet<T>(attempt: () => Promise<T>): Promise<T> {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!isBusError(error, 'CONFLICT')) throw error;
    }
  }
  throw new BusError('UNAVAILABLE', 'others write the same key all the time');
}

/** The result of a write, or null when somebody else wrote first. */
export async function unlessConflict<T>(write: Promise<T>): Promise<T | null> {
  try {
    return await write;
  } catch (error) {
    if (isBusError(error, 'CONFLICT')) return null;
    throw error;
  }
}
