/** Small readers of text that strangers write: cursors, headers of tus, ranges of bytes. */
import { decodeCursor, encodeCursor } from '../../../../services/gateway/src/bus/cursor.ts';
import { byteRange } from '../../../../services/gateway/src/rest/files/byte-range.ts';
import {
  byteCount,
  uploadChecksum,
  uploadMetadata,
} from '../../../../services/gateway/src/rest/tus/tus-headers.ts';
import { seedOf } from '../seed.ts';
import type { FuzzTarget } from './fuzz-target.ts';

const FILE_BYTES = 1_000;
const SEEDS = [
  'c1.alice=mine.1a.2b.00000000000000000000000000.1.2',
  'c1.=lobby=7.0.0..0.0',
  'c1._e2_82_ac=a_2eb.zzzzz.0..0.0',
  'filename bm90ZXMubWQ=,filetype dGV4dC9tYXJrZG93bg==,room_id',
  'is_confidential,sha256 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
  'sha256 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
  'sha1 2jmj7l5rSw0yVb/vlWAYkK/YBwk=',
  'bytes=0-499',
  'bytes=-500',
  'bytes=999-',
  'bytes=0-0,5-9',
  '9007199254740991',
];

function readAll(text: string) {
  return {
    cursor: decodeCursor(text),
    metadata: uploadMetadata(text),
    checksum: uploadChecksum(text),
    range: byteRange(text, FILE_BYTES),
    count: byteCount(text),
  };
}

export const headerTarget: FuzzTarget = {
  name: 'cursors and headers',
  seeds: SEEDS.map((text) => seedOf(text)),
  // HTTP headers come as latin1.
  read: (bytes) => readAll(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')),
  problem(result) {
    const { cursor, range, count } = result as ReturnType<typeof readAll>;
    if (cursor !== null && decodeCursor(encodeCursor(cursor.conversation, cursor)) === null)
      return 'a cursor that can not be written again';
    if (
      typeof range === 'object' &&
      !(range.start >= 0 && range.start < range.end && range.end <= FILE_BYTES)
    )
      return `the range ${range.start} to ${range.end}`;
    return count === null || Number.isSafeInteger(count) ? null : `${count} bytes`;
  },
};
