/** Maps with a bounded number under way. */

/** What `each` makes of the items, in their order; at most `size` of them are under way. */
export async function inBatches<T, R>(
  items: readonly T[],
  size: number,
  each: (item: T) => Promise<R> | R,
): Promise<R[]> {
  const made: R[] = [];
  for (let start = 0; start < items.length; start += size) {
    made.push(...(await Promise.all(items.slice(start, start + size).map(each))));
  }
  return made;
}
