/** Makes a frame that fails as short as it can be made in reasonable time. */

/** Tries, each of which reads a frame once. */
const MAX_TRIES = 5_000;

/** Leaves out pieces, the largest first, as long as `fails` says that it still does. */
export function minimise(bytes: Uint8Array, fails: (bytes: Uint8Array) => boolean): Uint8Array {
  let best = Buffer.from(bytes);
  let tries = 0;
  for (let piece = best.length; piece >= 1 && tries < MAX_TRIES; ) {
    let isShorter = false;
    for (let at = 0; at < best.length && tries < MAX_TRIES; tries += 1) {
      const shorter = Buffer.concat([best.subarray(0, at), best.subarray(at + piece)]);
      if (fails(shorter)) {
        best = shorter;
        isShorter = true;
      } else at += piece;
    }
    if (!isShorter) piece >>= 1;
  }
  return best;
}
