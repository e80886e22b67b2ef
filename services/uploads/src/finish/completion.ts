/** What follows once a file is decided: every step can be repeated, by anybody, after a death anywhere. */
import { type ErrorCode, type FileRecord, FileShared, STREAMS, SUBJECTS } from '@natter/proto';
import type { Bus } from '@natter/runtime';
import type { Kept } from '../kept.ts';
import type { StoredFile } from '../records/stored-file.ts';
import type { FoundUpload } from '../records/upload-records.ts';
import { Refused } from '../refused.ts';
import { removeFile } from './remove-file.ts';
import type { Steps } from './steps.ts';

/** A job of this instance is its own for so long; after that another one may take it. */
export const OWN_JOB_MS = 120_000;
/** Clocks of the broker and of the services may differ. */
const CLOCKS_MS = 60_000;
const PAGE = 1_000;
/** 100,000 entries of a log since the file was made. */
const MAX_PAGES = 100;

export interface CompletionParts {
  bus: Bus;
  kept: Kept;
  step: Steps;
  /** After so long a file that could not be judged is scanned again. */
  rescanMs: number;
  /** A file of a conversation is ready: its text may be extracted. */
  ready(file: FileRecord): void;
}

/**
 * Files, indexes, log, then the end of the upload. Returns the file as it is recorded.
 *
 * Throws Refused where the file was deleted meanwhile: then nothing of it is left.
 *
 * `repeated`: somebody may have done some of it before.
 */
export async function complete(
  stored: StoredFile,
  parts: CompletionParts,
  repeated: boolean,
): Promise<FileRecord> {
  const { kept, rescanMs, step } = parts;
  const { file, placement } = stored;
  if (file.state === 'quarantined') await kept.scans.add(file.id, rescanMs);
  await step('noted');
  await kept.files.create(stored);
  await step('recorded');
  await unlessDeleted(kept, stored);
  await kept.ledger.settle(file.owner, file.id, file.size);
  await step('settled');
  if (file.conversation !== null) await kept.conversations.add(file.conversation, file.id);
  await step('indexed');
  if (file.state === 'ready') await share(file, parts, repeated);
  await step('shared');
  const upload = await unlessDeleted(kept, stored);
  // A delete that comes now writes after it, and that stays.
  if (upload !== null) await kept.uploads.remove(file.owner, file.id, upload.revision);
  await step('upload removed');
  await kept.parts.removeAll(file.id);
  await step('parts removed');
  await kept.attempts.remove(placement.key);
  await step('done');
  // A scanner may have judged it since it was decided.
  return repeated ? ((await kept.files.get(file.id))?.file ?? file) : file;
}

/**
 * The upload's record, or null. A delete writes there before it removes the file, so whoever has
 * written the file, and reads this after it, knows whether it was too late, and takes it back.
 */
async function unlessDeleted(kept: Kept, stored: StoredFile): Promise<FoundUpload | null> {
  const found = await kept.uploads.get(stored.file.owner, stored.file.id);
  if (found === null || found.upload.refused === null) return found;
  await removeFile(kept, stored);
  throw new Refused(found.upload.refused as ErrorCode);
}

/** A file that is ready becomes part of its conversation's log, once, and its text is noted as work. */
export async function share(
  file: FileRecord,
  { bus, kept, ready }: Pick<CompletionParts, 'bus' | 'kept' | 'ready'>,
  repeated: boolean,
): Promise<void> {
  const { conversation } = file;
  if (conversation === null) return;
  await kept.texts.add(file.id, OWN_JOB_MS);
  if (!(repeated && (await isShared(bus, conversation, file)))) {
    const entry: FileShared = {
      type: 'file.shared',
      file: file.id,
      name: file.name,
      size: file.size,
      contentType: file.type,
      sha256: file.sha256,
      sub: file.owner,
      subName: file.ownerName,
      at: file.createdAt,
    };
    await bus.append(SUBJECTS.conversationLog(conversation), JSON.stringify(entry), {
      id: `file-${file.id}`,
    });
  }
  ready(file);
}

/** Whether the log has it: the stream forgets ids of messages after 16 minutes. */
async function isShared(bus: Bus, conversation: string, file: FileRecord): Promise<boolean> {
  const subject = SUBJECTS.conversationLog(conversation);
  let page = await bus.stored.since(STREAMS.messages, subject, file.createdAt - CLOCKS_MS, PAGE);
  for (let pages = 1; ; pages += 1) {
    if (page.some(({ data }) => isEntryOf(data, file.id))) return true;
    if (page.length < PAGE || pages === MAX_PAGES) return false;
    page = await bus.stored.from(STREAMS.messages, subject, (page.at(-1)?.seq ?? 0) + 1, PAGE);
  }
}

function isEntryOf(data: Uint8Array, id: string): boolean {
  const text = Buffer.from(data).toString();
  // Most entries are messages: they need no parsing.
  if (!text.includes(id)) return false;
  try {
    const entry = FileShared.safeParse(JSON.parse(text));
    return entry.success && entry.data.file === id;
  } catch {
    return false;
  }
}
