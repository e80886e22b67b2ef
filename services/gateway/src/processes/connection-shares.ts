/** How many connections each process may hold, so that all together keep to the limit. */

/**
 * What each has, and an equal share of what is free.
 *
 * A fixed share would refuse people for as long as connections live, after one process died and its
 * clients came back to the others. Rounded up: the sum is above the limit by less than the number of
 * processes, and for a second by what `sizes` doesn't say yet.
 */
export function connectionShares(limit: number, sizes: readonly number[]): number[] {
  const free = limit - sizes.reduce((sum, size) => sum + size, 0);
  const share = Math.max(0, Math.ceil(free / sizes.length));
  return sizes.map((size) => size + share);
}
