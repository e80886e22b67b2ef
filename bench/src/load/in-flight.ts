/** Does something many times, a fixed number at once. */

/** Calls `work` with 0 to `count - 1`; rejects with the first failure, and starts no more then. */
export async function inFlight(count: number, limit: number, work: (index: number) => Promise<void>) {
  let next = 0;
  const lane = async () => {
    while (next < count) {
      const index = next++;
      try {
        await work(index);
      } catch (error) {
        next = count;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, count) }, lane));
}
