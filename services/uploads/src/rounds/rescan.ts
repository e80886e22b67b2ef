/** Scans quarantined files again until a scanner has judged them. */
import { type FileRecord, type LiveEvent, READ_BYTES, SUBJECTS } from '@natter/proto';
import { type Bus, type Logger, unlessConflict } from '@natter/runtime';
import { type CompletionParts, share } from '../finish/completion.ts';
import { removeFile } from '../finish/remove-file.ts';
import type { Kept } from '../kept.ts';
import type { Scanner, Verdict } from '../ports.ts';
import type { FoundFile } from '../records/file-records.ts';
import { readWhole } from '../store/read-whole.ts';
import { growingWait, LONGEST_WAIT_MS } from './growing-wait.ts';

/** A scan that takes longer is taken for dead. */
const HOLD_MS = 300_000;

export interface RescanParts extends Omit<CompletionParts, 'step' | 'kept'> {
  scanner: Scanner;
  log: Logger;
  now: () => number;
  count(verdict: Verdict['verdict']): void;
}

/** One look at all files that wait; one scan at a time. */
export async function rescan(kept: Kept, parts: RescanParts): Promise<void> {
  for (const id of await kept.scans.open()) {
    const tries = await kept.scans.claim(id, HOLD_MS);
    if (tries === 0) continue;
    // Later than all that are waiting: one bad file keeps no others from being judged.
    const outcome = await tryFile(kept, id, parts);
    if (outcome === 'again') await kept.scans.postpone(id, parts.rescanMs, true);
    if (outcome === 'file') await kept.scans.postpone(id, growingWait(parts.rescanMs, tries));
    if (outcome === 'limits') await kept.scans.postpone(id, Math.max(parts.rescanMs, LONGEST_WAIT_MS));
  }
}

/** `done`, or why it is to be tried again: soon, ever later (`file`), or once an hour (`limits`). */
type Outcome = 'done' | 'again' | 'file' | 'limits';

async function tryFile(kept: Kept, id: string, parts: RescanParts): Promise<Outcome> {
  try {
    return await rescanFile(kept, id, parts);
  } catch (err) {
    parts.log.warn({ err, file: id }, 'a quarantined file waits for another try');
    return 'file';
  }
}

async function rescanFile(kept: Kept, id: string, parts: RescanParts): Promise<Outcome> {
  const found = await kept.files.get(id);
  // Noted a moment before its file, or deleted meanwhile, which takes the job away as well.
  if (found === null) return 'file';
  if (found.file.state === 'quarantined') {
    const verdict = await scan(kept, found, parts.scanner);
    parts.count(verdict.verdict);
    if (verdict.verdict === 'unknown') {
      // The scanner warns, once a minute for all files.
      parts.log.debug({ file: id, reason: verdict.reason }, 'a quarantined file could not be scanned');
      return verdict.fault ?? 'again';
    }
    if (verdict.verdict === 'infected') {
      parts.log.warn({ file: id, signature: verdict.signature }, 'a quarantined file is infected');
      await dropInfected(kept, found, parts);
      return 'done';
    }
    found.file.state = 'ready';
    // Deleted meanwhile, or judged by another instance that was slow.
    if ((await unlessConflict(kept.files.update(found))) === null) return 'again';
  }
  await share(found.file, { ...parts, kept }, true);
  await kept.scans.done(id);
  return 'done';
}

async function scan(kept: Kept, { file, placement }: FoundFile, scanner: Scanner): Promise<Verdict> {
  const stream = await scanner.begin();
  try {
    const store = kept.stores.of(placement.store);
    for await (const bytes of readWhole(store, placement, file.size, READ_BYTES)) await stream.push(bytes);
    return await stream.end();
  } finally {
    stream.abort();
  }
}

/** Gone at once; its owner is told so for as long as an upload may take. */
async function dropInfected(kept: Kept, found: FoundFile, { bus }: RescanParts): Promise<void> {
  await removeFile(kept, found, 'FILE_INFECTED');
  tellMembers(bus, found.file);
}

function tellMembers(bus: Bus, file: FileRecord): void {
  const { conversation, id, name, size, owner, ownerName } = file;
  if (conversation === null) return;
  const event: LiveEvent = {
    type: 'file.progress',
    ...{ file: id, name, size, received: size },
    status: 'refused',
    sub: owner,
    subName: ownerName,
    connection: '',
  };
  bus.publish(SUBJECTS.liveOut(conversation), JSON.stringify(event));
}
