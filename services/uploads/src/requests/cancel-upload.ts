/** Ends an upload that is not finished, at its owner's wish. */

import { cleanUp } from '../finish/finalize.ts';
import type { Kept } from '../kept.ts';
import { compareAndSet } from '../records/compare-and-set.ts';
import { Refused } from '../refused.ts';

/** Throws UPLOAD_NOT_FOUND where there is none, or it is a file by now. */
export async function cancelUpload(kept: Kept, sub: string, id: string): Promise<void> {
  await compareAndSet(async () => {
    const found = await kept.uploads.get(sub, id);
    if (found === null || found.decided !== null) throw new Refused('UPLOAD_NOT_FOUND');
    const { upload } = found;
    // First for everybody to see: a finalize at the same moment must not make a file of it.
    if (upload.refused === null)
      await kept.uploads.update({ ...found, upload: { ...upload, refused: 'UPLOAD_NOT_FOUND' } });
    await cleanUp(kept, upload);
    await kept.uploads.remove(sub, id);
  });
}
