/**
 * Makes a file of an upload whose parts have arrived.
 *
 * The upload's record decides: it becomes refused or a file by one conditional write. Before it,
 * nothing is kept but bytes under a key that is noted as an attempt; after it, `complete` can be
 * repeated by anybody. So two at once, a repeat, and a death anywhere all end in the same file.
 */
import { type FileRecord, Sha256, type UploadRecord } from '@natter/proto';
import { BusError, isBusError, type Logger } from '@natter/runtime';
import type { Kept } from '../kept.ts';
import { PartGone } from '../parts/chunk-store.ts';
import type { Kinds, Scanner } from '../ports.ts';
import type { StoredFile } from '../records/stored-file.ts';
import { endedUpload, type FoundUpload } from '../records/upload-records.ts';
import { Refused } from '../refused.ts';
import { type CompletionParts, complete } from './completion.ts';
import { type Judged, judgeContent } from './judge-content.ts';
import { piecesOf } from './pieces-of.ts';

/** Others who finish, refuse or cancel at the same moment; each try finds what they decided. */
const MAX_TRIES = 5;
/** A pass that takes longer is given up; a sweep takes no attempt for dead before twice that. */
export const PASS_MS = 300_000;

export interface FinalizeParts extends CompletionParts {
  kinds: Kinds;
  scanner: Scanner;
  log: Logger;
  now: () => number;
  /** Counts how passes end: `ready`, `quarantined`, or the code of a refusal. */
  count(result: string): void;
}

export async function finalize(
  parts: FinalizeParts,
  sub: string,
  id: string,
  sha256: string | null,
): Promise<FileRecord> {
  const { kept } = parts;
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const found = await kept.uploads.get(sub, id);
    if (found === null) return finishedFile(kept, sub, id);
    const { upload, decided } = found;
    if (upload.refused !== null) {
      await cleanUp(kept, upload);
      throw refusedWith(upload.refused);
    }
    if (decided !== null) return complete(decided, parts, true);
    if (upload.expiresAt <= parts.now()) throw new Refused('UPLOAD_NOT_FOUND');
    const expected = expectedHash(upload, sha256);
    try {
      return await attempt(parts, found, expected);
    } catch (error) {
      if (!(error instanceof PartGone) && !isBusError(error, 'CONFLICT')) throw error;
    }
  }
  throw new BusError('UNAVAILABLE', 'the upload changes all the time');
}

/** Clean-ups that died are repeated, with each answer that says the same. The record stays. */
export async function cleanUp(kept: Kept, { owner, id }: UploadRecord): Promise<void> {
  await kept.parts.removeAll(id);
  await kept.ledger.end(owner, id, (old) => kept.uploads.remove(owner, old));
}

/** The file of an upload that is gone; throws UPLOAD_NOT_FOUND. Parts that a death left go. */
export async function finishedFile(kept: Kept, sub: string, id: string): Promise<FileRecord> {
  const stored = await kept.files.get(id);
  if (stored === null || stored.file.owner !== sub) throw new Refused('UPLOAD_NOT_FOUND');
  await kept.parts.removeAll(id);
  return stored.file;
}

function expectedHash({ mode }: UploadRecord, sha256: string | null): string | null {
  if (sha256 === null && mode === 'sequential') return null;
  const parsed = Sha256.safeParse(sha256?.toLowerCase());
  if (!parsed.success) throw new Refused('CHECKSUM_INVALID');
  return parsed.data;
}

/** One pass and the decision; throws BusError CONFLICT or PartGone when somebody else has decided. */
async function attempt(parts: FinalizeParts, found: FoundUpload, sha256: string | null): Promise<FileRecord> {
  const { kept, step } = parts;
  const { upload } = found;
  const plan = piecesOf(upload, await kept.parts.arrived(upload.id));
  if (!plan.ok) return refuse(parts, found, plan.code);
  const store = kept.stores.current;
  const noted = await kept.attempts.begin(upload, store.kind);
  await step('attempt noted');
  const writer = await store.write(noted.key).catch(async (error: unknown) => {
    await kept.attempts.remove(noted.key);
    throw error;
  });
  // Until a decision may name them, the bytes are nobody's but ours.
  let ours = true;
  const take = async (judged: Extract<Judged, { ok: true }>): Promise<StoredFile> => {
    const { name, size } = upload;
    const placement = await writer.commit({ name, size, type: judged.type, sha256: judged.sha256 });
    await step('written');
    // A sweep that took this for dead has the attempt, and the bytes with it.
    await kept.attempts.keep(noted);
    const stored = { file: fileOf(upload, judged, parts.now()), placement };
    // While nobody knows whether the record names them, they stay; a sweep will know.
    ours = false;
    ours = !(await decide(kept, found, stored));
    if (ours) throw new BusError('CONFLICT', 'somebody else has decided');
    return stored;
  };
  try {
    const content = within(PASS_MS, parts.now, kept.parts.read(upload.id, plan.pieces));
    const expected = { name: upload.name, size: upload.size, sha256 };
    const judged = await judgeContent(content, expected, { ...parts, writer });
    await step('judged');
    if (!judged.ok) return await refuse(parts, found, judged.code, judged.signature);
    const stored = await take(judged);
    await step('decided');
    parts.count(stored.file.state);
    return await complete(stored, parts, false);
  } finally {
    if (ours) {
      await writer.abort();
      await kept.attempts.remove(noted.key);
    }
  }
}

/** The record says what the file is; false when somebody else has refused or decided it before. */
async function decide(kept: Kept, found: FoundUpload, decided: StoredFile): Promise<boolean> {
  try {
    await kept.uploads.update({ ...found, decided });
    return true;
  } catch (error) {
    if (!isBusError(error, 'CONFLICT')) throw error;
    const now = await kept.uploads.get(found.upload.owner, found.upload.id);
    // After a lost acknowledgement it was ours.
    return now?.decided?.placement.key === decided.placement.key;
  }
}

/** Refused for good: the parts go, a small record stays, so that a repeat says the same. */
async function refuse(
  parts: FinalizeParts,
  found: FoundUpload,
  code: Refused['code'],
  signature?: string,
): Promise<never> {
  const { kept, log } = parts;
  await kept.uploads.update({ ...endedUpload(found.upload, code), revision: found.revision });
  await parts.step('refused');
  await cleanUp(kept, found.upload);
  log.info({ file: found.upload.id, code, signature }, 'an upload was refused');
  parts.count(code);
  throw new Refused(code);
}

function fileOf(upload: UploadRecord, judged: Extract<Judged, { ok: true }>, now: number): FileRecord {
  const { id, owner, ownerName, conversation, name, size } = upload;
  const { sha256, type, inline, verdict } = judged;
  const state = verdict.verdict === 'clean' ? 'ready' : 'quarantined';
  return { id, owner, ownerName, conversation, name, size, sha256, type, inline, state, createdAt: now };
}

function refusedWith(code: string): Refused {
  return new Refused(code as Refused['code']);
}

/** Ends with UNAVAILABLE after `ms`, by our own clock. */
async function* within<T>(ms: number, now: () => number, items: AsyncIterable<T>): AsyncGenerator<T> {
  const deadline = now() + ms;
  for await (const item of items) {
    if (now() > deadline) throw new BusError('UNAVAILABLE', 'the pass over the file took too long');
    yield item;
  }
}
