/** An upload of somebody that still takes parts. */
import type { ErrorCode } from '@natter/proto';
import type { Kept } from '../kept.ts';
import type { FoundUpload } from '../records/upload-records.ts';
import { Refused } from '../refused.ts';

/** Throws UPLOAD_NOT_FOUND where there is none, or the code with which it was refused. */
export async function openUpload(kept: Kept, sub: string, id: string, now: number): Promise<FoundUpload> {
  const found = await kept.uploads.get(sub, id);
  if (found === null) throw new Refused('UPLOAD_NOT_FOUND');
  const { refused, expiresAt } = found.upload;
  if (refused !== null) throw new Refused(refused as ErrorCode);
  if (found.decided !== null || expiresAt <= now) throw new Refused('UPLOAD_NOT_FOUND');
  return found;
}
