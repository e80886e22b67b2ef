/** Small bytes that inflate to many, made without inflating them here. */
import { constants, deflateRawSync } from 'node:zlib';

const BLOCK_BYTES = 1024 * 1024;

/** A raw DEFLATE stream of `mebibytes` MiB of `unit`, about 1/1,000 as long where that is one character. */
export function deflateBomb(mebibytes: number, unit = ' '): Uint8Array {
  const content = Buffer.alloc(BLOCK_BYTES, unit);
  // A full flush ends at a byte and looks back at nothing before it, so that the block can be repeated.
  const block = deflateRawSync(content, { finishFlush: constants.Z_FULL_FLUSH, level: 9 });
  return Buffer.concat([...Array<Uint8Array>(mebibytes).fill(block), deflateRawSync(Buffer.alloc(0))]);
}

/** The same as a zlib stream (RFC 1950), as PDF has it; its sum is left out. */
export function zlibBomb(mebibytes: number, unit = ' '): Uint8Array {
  return Buffer.concat([Buffer.from([0x78, 0x9c]), deflateBomb(mebibytes, unit)]);
}
