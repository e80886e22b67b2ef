/** All bytes of a stored file, piece by piece. */
import type { Placement } from '../records/stored-file.ts';
import type { FileStore } from './file-store.ts';

export async function* readWhole(
  store: FileStore,
  placement: Placement,
  size: number,
  pieceBytes: number,
): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < size; offset += pieceBytes) {
    yield await store.read(placement, offset, Math.min(pieceBytes, size - offset));
  }
}
