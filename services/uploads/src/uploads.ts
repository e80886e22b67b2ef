/** What the uploads service does, one method for all operations. */
import type { ErrorCode, FileRecord, UploadsReply, UploadsRequest } from '@natter/proto';
import type { Bus, Logger } from '@natter/runtime';
import { type CompletionParts, complete } from './finish/completion.ts';
import { finalize, finishedFile } from './finish/finalize.ts';
import { removeFile } from './finish/remove-file.ts';
import { noSteps, type Steps } from './finish/steps.ts';
import type { Kept } from './kept.ts';
import type { Kinds, Scanner } from './ports.ts';
import { Refused } from './refused.ts';
import { cancelUpload } from './requests/cancel-upload.ts';
import { initUpload } from './requests/init-upload.ts';
import { listFiles } from './requests/list-files.ts';
import { progressOf } from './requests/progress.ts';
import { findFile, readFile } from './requests/read-file.ts';
import { settleParts } from './requests/settle-parts.ts';

export type Granted = Extract<UploadsReply, { ok: true }>;

export interface UploadsParts {
  bus: Bus;
  kinds: Kinds;
  scanner: Scanner;
  log: Logger;
  limits: { maxFileSize: number; uploadExpiryHours: number };
  now: () => number;
  /** After so long a file that could not be judged is scanned again. */
  rescanMs: number;
  /** Counts what became of an upload. */
  finished(result: string): void;
  /** A file of a conversation is ready: its text may be extracted. */
  ready(file: FileRecord): void;
  /** Default: nothing happens between the steps of a finalize. */
  step?: Steps;
}

export class Uploads {
  readonly #parts: UploadsParts;

  constructor(parts: UploadsParts) {
    this.#parts = parts;
  }

  /** Throws Refused with what the client did wrong, or BusError. */
  async answer(kept: Kept, request: UploadsRequest): Promise<{ reply: Granted; bytes?: Uint8Array }> {
    const { kinds, limits, now } = this.#parts;
    switch (request.op) {
      case 'init': {
        const upload = await initUpload(kept, request, { kinds, limits, now: now() });
        return { reply: { ok: true, progress: progressOf(upload, []), parts: [] } };
      }
      case 'settle':
        return { reply: { ok: true, ...(await settleParts(kept, request, now())) } };
      case 'status':
        return { reply: await this.#status(kept, request.sub, request.id) };
      case 'finalize': {
        const file = await finalize(this.#finalizeParts(kept), request.sub, request.id, request.sha256);
        return { reply: { ok: true, file } };
      }
      case 'cancel':
        await cancelUpload(kept, request.sub, request.id);
        return { reply: { ok: true } };
      case 'file':
        return { reply: { ok: true, file: (await findFile(kept, request.id)).file } };
      case 'read': {
        const read = await readFile(kept, request.id, request.offset, request.length);
        return { reply: { ok: true, file: read.stored.file }, bytes: read.bytes };
      }
      case 'list':
        return { reply: { ok: true, files: await listFiles(kept, request.of) } };
      case 'delete':
        await removeFile(kept, await findFile(kept, request.id));
        return { reply: { ok: true } };
    }
  }

  /** What rounds need to complete a file. */
  completion(kept: Kept): CompletionParts {
    const { bus, rescanMs, ready, step = noSteps } = this.#parts;
    return { bus, kept, rescanMs, ready, step };
  }

  #finalizeParts(kept: Kept) {
    const { kinds, scanner, log, now, finished } = this.#parts;
    return { ...this.completion(kept), kinds, scanner, log, now, count: finished };
  }

  async #status(kept: Kept, sub: string, id: string): Promise<Granted> {
    const found = await kept.uploads.get(sub, id);
    if (found?.upload.refused) throw new Refused(found.upload.refused as ErrorCode);
    // A client that asks this has lost its finalize: what a death left undone is done now, not by a sweep.
    if (found?.decided) return { ok: true, file: await complete(found.decided, this.completion(kept), true) };
    if (found !== null && found.upload.expiresAt > this.#parts.now()) {
      const parts = await kept.parts.arrived(id);
      return { ok: true, progress: progressOf(found.upload, parts), parts };
    }
    return { ok: true, file: await finishedFile(kept, sub, id) };
  }
}
