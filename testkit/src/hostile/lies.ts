/** Uploads whose sizes, sums and parts are not what they say. */
import { SAMPLE_FILES } from '../sample-files.ts';
import { HOSTILE_PART_BYTES, type HostileFile, harmless } from './hostile-file.ts';

/** MAX_FILE_SIZE of the seed. */
const MOST = 50 * 1024 * 1024;
const LENGTH = 4 * HOSTILE_PART_BYTES + 100;
const OTHER_SUM = '0123456789abcdef'.repeat(4);

type Lie = NonNullable<HostileFile['lie']>;

export const LIES: HostileFile[] = [
  lie('an empty file', 0, {}, 'FILE_EMPTY', 'init'),
  lie('a file of 51 MiB', 51 * 1024 * 1024, {}, 'FILE_TOO_LARGE', 'init'),
  lie('a file of one byte too many', MOST + 1, {}, 'FILE_TOO_LARGE', 'init'),
  lie('a size of 0', LENGTH, { size: 0 }, 'FILE_EMPTY', 'init'),
  lie('a size below 0', LENGTH, { size: -1 }, 'INVALID_FIELD', 'init'),
  lie('a size that no disk has', LENGTH, { size: Number.MAX_SAFE_INTEGER }, 'FILE_TOO_LARGE', 'init'),
  lie('51 MiB that say they are 50', 51 * 1024 * 1024, { size: MOST }, 'FILE_SIZE_MISMATCH', 'chunk'),
  lie('a byte more than it says', LENGTH, { size: LENGTH - 1 }, 'FILE_SIZE_MISMATCH', 'chunk'),
  lie('200 KB that say they are a byte', LENGTH, { size: 1 }, 'FILE_SIZE_MISMATCH', 'chunk'),
  lie('a byte less than it says', LENGTH, { size: LENGTH + 1 }, 'FILE_SIZE_MISMATCH', 'finalize'),
  lie('200 KB that say they are 50 MiB', LENGTH, { size: MOST }, 'FILE_SIZE_MISMATCH', 'finalize'),
  lie('a gap at the start', LENGTH, { skipChunk: 0 }, 'UPLOAD_INCOMPLETE', 'finalize'),
  lie('a gap in the middle', LENGTH, { skipChunk: 2 }, 'UPLOAD_INCOMPLETE', 'finalize'),
  lie('a gap at the end', LENGTH, { skipChunk: 4 }, 'UPLOAD_INCOMPLETE', 'finalize'),
  lie('the sum of another file', LENGTH, { sha256: OTHER_SUM }, 'CHECKSUM_MISMATCH', 'finalize'),
  lie('no sum', LENGTH, { sha256: '' }, 'CHECKSUM_INVALID', 'finalize'),
  lie('half of a sum', LENGTH, { sha256: OTHER_SUM.slice(32) }, 'CHECKSUM_INVALID', 'finalize'),
  lie('a sum that is none', LENGTH, { sha256: 'z'.repeat(64) }, 'CHECKSUM_INVALID', 'finalize'),
  lie('a sum with a path', LENGTH, { sha256: '../'.repeat(21) }, 'CHECKSUM_INVALID', 'finalize'),
  {
    ...lie(
      'a picture with the sum of another',
      LENGTH,
      { sha256: OTHER_SUM },
      'CHECKSUM_MISMATCH',
      'finalize',
    ),
    name: 'a.png',
    bytes: () => SAMPLE_FILES.png?.() ?? new Uint8Array(),
  },
];

function lie(
  what: string,
  bytes: number,
  told: Lie,
  expect: HostileFile['expect'],
  stage: HostileFile['stage'],
): HostileFile {
  const file = {
    what,
    name: 'a.txt',
    declaredType: 'text/plain',
    bytes: () => harmless(bytes),
    expect,
    stage,
  };
  return Object.keys(told).length === 0 ? file : { ...file, lie: told };
}
