/** Hashes by which gateways count what is on several of them once. */

/** Base64 of the 8-byte floats of at most `limit` hashes, and how many texts there were. */
export function packHashes(texts: Iterable<string>, limit: number): { hashes: string; count: number } {
  const hashes: number[] = [];
  let count = 0;
  for (const text of texts) {
    count += 1;
    if (hashes.length < limit) hashes.push(hash53(text));
  }
  return { hashes: Buffer.from(Float64Array.from(hashes).buffer).toString('base64'), count };
}

/** The hashes of a text made by `packHashes`. */
export function unpackHashes(packed: string): Float64Array {
  const bytes = Uint8Array.from(Buffer.from(packed, 'base64'));
  return new Float64Array(bytes.buffer, 0, Math.floor(bytes.length / 8));
}

/**
 * 53 bits: of a million users about one pair in 18,000 counts shares a hash.
 *
 * Not for secrets; a cryptographic one would hold up the gateway for 0.1 s for 50,000 users.
 */
export function hash53(text: string): number {
  let low = 0xdeadbeef;
  let high = 0x41c6ce57;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    low = Math.imul(low ^ unit, 2_654_435_761);
    high = Math.imul(high ^ unit, 1_597_334_677);
  }
  low = Math.imul(low ^ (low >>> 16), 2_246_822_507) ^ Math.imul(high ^ (high >>> 13), 3_266_489_909);
  high = Math.imul(high ^ (high >>> 16), 2_246_822_507) ^ Math.imul(low ^ (low >>> 13), 3_266_489_909);
  return 4_294_967_296 * (high & 0x1fffff) + (low >>> 0);
}
