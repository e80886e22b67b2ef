/** Everything that is kept of files and uploads; opened once the agents have made it. */
import { BUCKETS, LIMITS, STREAMS } from '@natter/proto';
import { type Bus, BusError } from '@natter/runtime';
import { ChunkStore } from './parts/chunk-store.ts';
import { Attempts } from './records/attempts.ts';
import { ConversationFiles } from './records/conversation-files.ts';
import { FileRecords } from './records/file-records.ts';
import { Jobs } from './records/jobs.ts';
import { OwnerLedger } from './records/owner-ledger.ts';
import { UploadRecords } from './records/upload-records.ts';
import type { Stores } from './store/stores.ts';

export interface Kept {
  uploads: UploadRecords;
  files: FileRecords;
  ledger: OwnerLedger;
  attempts: Attempts;
  conversations: ConversationFiles;
  /** Files that wait for a scanner's verdict. */
  scans: Jobs;
  /** Files whose text is to be extracted. */
  texts: Jobs;
  parts: ChunkStore;
  stores: Stores;
}

export interface KeptOptions {
  bus: Bus;
  stores: Stores;
  /** Copies of each stream; with more than one, parts are read from the leader. */
  replicas: number;
  quotaBytes: number;
  unfinishedBytes: number;
  now: () => number;
}

/** Agents make the buckets, and this service may start before the first of them. */
export class KeptOpener {
  readonly #options: KeptOptions;
  #opening: Promise<Kept> | null = null;

  constructor(options: KeptOptions) {
    this.#options = options;
  }

  /** Throws BusError UNAVAILABLE while something doesn't exist; the next call looks again. */
  open(): Promise<Kept> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = null;
      throw error;
    });
    return this.#opening;
  }

  async #open(): Promise<Kept> {
    const { bus, stores, replicas, quotaBytes, unfinishedBytes, now } = this.#options;
    const names = [BUCKETS.uploads, BUCKETS.files, BUCKETS.fileIndex, BUCKETS.fileTexts];
    const streams = [STREAMS.chunks, STREAMS.files, ...names.map((name) => `KV_${name}`)];
    const there = await Promise.all(streams.map((name) => bus.hasStream(name)));
    if (there.includes(false))
      throw new BusError('UNAVAILABLE', 'no agent has made the buckets of files yet');
    const index = await bus.bucket(BUCKETS.fileIndex);
    const files = new FileRecords(await bus.bucket(BUCKETS.files));
    const { stored } = bus;
    const quota = { bytes: quotaBytes, files: LIMITS.filesPerUser, unfinishedBytes };
    return {
      uploads: new UploadRecords(await bus.bucket(BUCKETS.uploads)),
      files,
      ledger: new OwnerLedger(index, quota, async (id) => (await files.get(id)) !== null, now),
      attempts: new Attempts(index, stored, now),
      conversations: new ConversationFiles(index, await bus.bucket(BUCKETS.fileTexts), stored),
      scans: new Jobs(index, stored, 'scan', now),
      texts: new Jobs(index, stored, 'text', now),
      parts: new ChunkStore(bus, replicas > 1),
      stores,
    };
  }
}
