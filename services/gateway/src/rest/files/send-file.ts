/** The bytes of a file as the body of an answer. */
import { READ_BYTES } from '@natter/proto';
import { BusError } from '@natter/runtime';
import type { UploadsClient } from '../../bus/uploads-client.ts';
import type { BodyWriter } from '../route.ts';
import type { ByteRange } from './byte-range.ts';

/** Reads while the client takes what was read before, one piece ahead; throws BusError UNAVAILABLE when one can't be read. */
export async function sendFile(
  uploads: Pick<UploadsClient, 'ask'>,
  id: string,
  { start, end }: ByteRange,
  writer: BodyWriter,
): Promise<void> {
  const read = (offset: number) => {
    const piece = readPiece(uploads, id, offset, Math.min(READ_BYTES, end - offset));
    // If the client goes away, nobody looks at the one ahead.
    piece.catch(() => undefined);
    return piece;
  };
  let ahead = read(start);
  for (let offset = start; offset < end; ) {
    const piece = await ahead;
    if (writer.signal.aborted) return;
    offset += piece.length;
    if (offset < end) ahead = read(offset);
    if (!writer.write(piece)) await writer.drained();
    if (writer.signal.aborted) return;
  }
  writer.end();
}

async function readPiece(
  uploads: Pick<UploadsClient, 'ask'>,
  id: string,
  offset: number,
  length: number,
): Promise<Uint8Array> {
  const answer = await uploads.ask({ op: 'read', id, offset, length });
  if (!answer.ok) throw new BusError('UNAVAILABLE', `a file could not be read: ${answer.code}`);
  if (answer.bytes.length === 0 || answer.bytes.length > length)
    throw new BusError('UNAVAILABLE', `${answer.bytes.length} bytes of a file were read, not ${length}`);
  return answer.bytes;
}
