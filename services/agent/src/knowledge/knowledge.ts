/** The knowledge of the agents: a folder of files, searchable, and read again when it changes. */
import { type FSWatcher, watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Logger } from '@natter/runtime';
import { KnowledgeError } from './knowledge-error.ts';
import type { KnowledgeFilter, Passage } from './passage.ts';
import { PassageIndex } from './passage-index.ts';
import type { RetrievalQuery } from './retrieval-query.ts';
import { type KnowledgeFile, SCAN_LIMITS, scanFolder } from './scan-folder.ts';
import { splitDocument } from './split-document.ts';

const MAX_PASSAGES = 100_000;

export interface Knowledge {
  /** The `k` best passages that the filter lets through, best first. */
  search(query: RetrievalQuery, filter: KnowledgeFilter, k: number): Passage[];
  /** How much there is. */
  readonly size: { files: number; passages: number };
  /** Looks at the folder now; resolves when what changed can be found. */
  reload(): Promise<void>;
  close(): Promise<void>;
}

export interface KnowledgeOptions {
  dir: string;
  log: Logger;
  /** Quiet time after a change before the folder is read; an editor writes in several steps. Default 200. */
  debounceMs?: number;
  /** How often the folder is looked at without a notice; network drives send none. Default 30,000. */
  rescanMs?: number;
}

/** Reads the folder and begins to watch it; throws KnowledgeError when it can't be read. */
export async function openKnowledge(options: KnowledgeOptions): Promise<Knowledge> {
  const folder = new KnowledgeFolder(options);
  await folder.open();
  return folder;
}

interface ReadFile {
  fingerprint: string;
  passages: Passage[];
}

class KnowledgeFolder implements Knowledge {
  readonly #options: KnowledgeOptions;
  readonly #log: Logger;
  /** Passages by file, kept while the file stays as it is. */
  #files = new Map<string, ReadFile>();
  #skipped = '';
  #index: PassageIndex | null = null;
  #watcher: FSWatcher | null = null;
  #debounce: NodeJS.Timeout | undefined;
  #rescan: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #waiting = false;
  #closed = false;

  constructor(options: KnowledgeOptions) {
    this.#options = options;
    this.#log = options.log;
  }

  get size(): { files: number; passages: number } {
    return { files: this.#files.size, passages: this.#index?.size ?? 0 };
  }

  async open(): Promise<void> {
    try {
      await this.#read();
    } catch (error) {
      throw new KnowledgeError(`The knowledge folder ${this.#options.dir} can't be read.`, error);
    }
    this.#watch();
    this.#rescan = setInterval(() => this.#changed(0), this.#options.rescanMs ?? 30_000);
    this.#rescan.unref();
    this.#log.info(this.size, 'knowledge read');
  }

  search(query: RetrievalQuery, filter: KnowledgeFilter, k: number): Passage[] {
    if (query.weights.size === 0) return [];
    return this.#index?.search(query, filter, k) ?? [];
  }

  /** One after the other; a wish that comes while another waits is part of that one. */
  reload(): Promise<void> {
    if (this.#waiting) return this.#running;
    this.#waiting = true;
    this.#running = this.#running.then(async () => {
      this.#waiting = false;
      if (this.#closed) return;
      try {
        if (await this.#read()) this.#log.info(this.size, 'knowledge read again');
      } catch (err) {
        // What was read before stays in use.
        this.#log.error({ err }, 'the knowledge folder can not be read');
      }
    });
    return this.#running;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#watcher?.close();
    clearTimeout(this.#debounce);
    clearInterval(this.#rescan);
    await this.#running;
  }

  #watch(): void {
    const blind = (err: unknown) =>
      this.#log.warn({ err }, 'the knowledge folder can not be watched; it is looked at now and then');
    try {
      this.#watcher = watch(this.#options.dir, { recursive: true, persistent: false }, () =>
        this.#changed(this.#options.debounceMs ?? 200),
      );
      this.#watcher.on('error', blind);
    } catch (error) {
      blind(error);
    }
  }

  #changed(afterMs: number): void {
    // Not pushed back by further changes: a folder that always changes would never be read.
    if (this.#debounce !== undefined) return;
    this.#debounce = setTimeout(() => {
      this.#debounce = undefined;
      void this.reload();
    }, afterMs);
    this.#debounce.unref();
  }

  /** Reads what changed and swaps the index; false when nothing did. */
  async #read(): Promise<boolean> {
    const { files: found, skipped } = await scanFolder(this.#options.dir);
    this.#tellSkipped(skipped);
    const same = (file: KnowledgeFile) => this.#files.get(file.source)?.fingerprint === file.fingerprint;
    if (this.#index !== null && found.length === this.#files.size && found.every(same)) return false;
    const files = new Map<string, ReadFile>();
    let total = 0;
    for (const file of found) {
      const known = same(file) ? this.#files.get(file.source)?.passages : undefined;
      let passages = known ?? (await this.#passagesOf(file));
      if (total + passages.length > MAX_PASSAGES) {
        this.#log.warn({ source: file.source, limit: MAX_PASSAGES }, 'too many passages: file left out');
        passages = [];
      }
      total += passages.length;
      files.set(file.source, { fingerprint: file.fingerprint, passages });
    }
    const index = await PassageIndex.build([...files.values()].flatMap(({ passages }) => passages));
    // No await between these two: a search sees the old folder or the new one.
    this.#files = files;
    this.#index = index;
    return true;
  }

  /** Once for each state of the folder, not at every look. */
  #tellSkipped(skipped: string[]): void {
    const lines = skipped.join('\n');
    if (lines !== '' && lines !== this.#skipped) this.#log.warn({ skipped }, 'knowledge files skipped');
    this.#skipped = lines;
  }

  async #passagesOf(file: KnowledgeFile): Promise<Passage[]> {
    try {
      const bytes = await readFile(file.path);
      // It may have grown since it was listed.
      if (bytes.length > SCAN_LIMITS.fileBytes) throw new KnowledgeError('larger than 1 MiB');
      const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
      if (text.includes('\0')) throw new KnowledgeError('not a text');
      return splitDocument(file.source, text);
    } catch (err) {
      this.#log.warn({ err, source: file.source }, 'knowledge file skipped');
      return [];
    }
  }
}
