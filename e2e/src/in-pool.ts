/** Works on many things, a few at a time. */

/** Rejects with the first failure, once all that had begun have ended. */
export async function inPool<T>(
  things: readonly T[],
  atOnce: number,
  work: (thing: T) => Promise<void>,
): Promise<void> {
  const waiting = [...things];
  const failures: unknown[] = [];
  const worker = async () => {
    while (failures.length === 0) {
      const thing = waiting.shift();
      if (thing === undefined) return;
      await work(thing).catch((error: unknown) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  if (failures.length > 0) throw failures[0];
}
