/** Ends an upload that is not finished, at its owner's wish. */

import { compareAndSet } from '@natter/runtime';
import { cleanUp } from '../finish/finalize.ts';
import type { Kept } from '../kept.ts';
import { endedUpload } from '../records/upload-records.ts';
import { Refused } from '../refused.ts';

/** Throws UPLOAD_NOT_FOUND where there is none, or it is a file by now. */
export async function cancelUpload(kept: Kept, sub: string, id: string): Promise<void> {
  let ours = false;
  await compareAndSet(async () => {
    const found = await kept.uploads.get(sub, id);
    if (found === null || found.decided !== null) throw new Refused('UPLOAD_NOT_FOUND');
    const { upload } = found;
    if (upload.refused === 'UPLOAD_NOT_FOUND' && !ours) {
      // A cancel that died, or a file that was deleted: then this keeps it from coming back.
      await cleanUp(kept, upload);
      throw new Refused('UPLOAD_NOT_FOUND');
    }
    // First for everybody to see: a finalize at the same moment must not make a file of it.
    // After a lost acknowledgement the refusal is this one.
    ours = true;
    const { revision } =
      upload.refused === null
        ? await kept.uploads.update({ ...endedUpload(upload, 'UPLOAD_NOT_FOUND'), revision: found.revision })
        : found;
    await kept.parts.removeAll(id);
    await kept.ledger.release(sub, id);
    await kept.uploads.remove(sub, id, revision);
  });
}
