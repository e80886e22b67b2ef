/** Reads which files a conversation has, and their texts, from the buckets of the uploads service. */
import { BUCKETS, FileText } from '@natter/proto';
import type { Logger, Stored, StreamReader } from '@natter/runtime';
import { storedJson } from '../stored-json.ts';

/** Buckets as streams. */
const INDEX = `KV_${BUCKETS.fileIndex}`;
const TEXTS = `KV_${BUCKETS.fileTexts}`;

/** Entries of the index, which have no body. */
const INDEX_PAGE = 1_000;
/** 100,000 files of one conversation; only the newest are wanted. */
const INDEX_PAGES = 100;
/**
 * Texts of all conversations that are noted as work, 50 bytes each. Behind more than these there is
 * nothing to wait for: the uploads service extracts about one a second.
 */
const OPEN_PAGE = 256;
/** Texts of one read; each has up to 1 MB. */
const TEXT_PAGE = 16;
/** Texts of one look: a thousand, while an index holds 64. */
const TEXT_PAGES = 64;

export interface ListedFile {
  id: string;
  /** Where the index has it. */
  seq: number;
  timeMs: number;
}

export interface ReadTexts {
  /** In the order they were stored. */
  texts: FileText[];
  /** Sequence of the last one, readable or not. */
  last: number;
}

/** One look: ends with the reason of `over` once that is aborted. */
export interface Look {
  conversation: string;
  over: AbortSignal;
  log: Logger;
}

export type FileReads = Pick<StreamReader, 'from' | 'since' | 'newest'>;

export class StoredFiles {
  readonly #stored: FileReads;

  constructor(stored: FileReads) {
    this.#stored = stored;
  }

  /** Whether the conversation has a file: one request, and an answer without a body. */
  async any({ conversation }: Look): Promise<boolean> {
    return (await this.#stored.newest(INDEX, filesOf(conversation))) !== null;
  }

  /** The newest `limit` files of those that the index has from a sequence on, oldest first. */
  async list({ conversation, over }: Look, from: number, limit: number): Promise<ListedFile[]> {
    let listed: ListedFile[] = [];
    for (let pages = 0, next = from; pages < INDEX_PAGES; pages += 1) {
      const page = await this.#stored.from(INDEX, filesOf(conversation), next, INDEX_PAGE);
      over.throwIfAborted();
      listed = [...listed, ...page.filter((entry) => !isRemoval(entry)).map(listedFile)].slice(-limit);
      if (page.length < INDEX_PAGE) break;
      next = (page.at(-1)?.seq ?? 0) + 1;
    }
    return listed;
  }

  /**
   * Those of `files` whose text has been noted as work since a time, and not done yet.
   *
   * The uploads service notes it before anybody is told that the file is ready, and takes the note away
   * when the text is stored, or there is none. The notes are of all conversations, so that one read is
   * enough for any number of files.
   */
  async open({ over }: Look, files: readonly ListedFile[], sinceMs: number): Promise<ListedFile[]> {
    const filter = `$KV.${BUCKETS.fileIndex}.text.*`;
    const page = await this.#stored.since(INDEX, filter, sinceMs, OPEN_PAGE);
    over.throwIfAborted();
    const ids = new Set(page.filter((entry) => !isRemoval(entry)).map((entry) => listedFile(entry).id));
    return files.filter(({ id }) => ids.has(id));
  }

  /** Texts that were stored after a sequence, or since a time in milliseconds since 1970. */
  async texts(look: Look, start: { after: number } | { since: number }): Promise<ReadTexts> {
    const filter = `$KV.${BUCKETS.fileTexts}.${look.conversation}.*`;
    const texts: FileText[] = [];
    let last = 'after' in start ? start.after : 0;
    for (let pages = 0; pages < TEXT_PAGES; pages += 1) {
      const page = await (pages === 0 && 'since' in start
        ? this.#stored.since(TEXTS, filter, start.since, TEXT_PAGE)
        : this.#stored.from(TEXTS, filter, last + 1, TEXT_PAGE));
      look.over.throwIfAborted();
      texts.push(...page.flatMap((entry) => textOf(entry, look.log) ?? []));
      last = page.at(-1)?.seq ?? last;
      if (page.length < TEXT_PAGE) break;
    }
    return { texts, last };
  }
}

function filesOf(conversation: string): string {
  return `$KV.${BUCKETS.fileIndex}.conv.${conversation}.*`;
}

/** A key that was deleted and not purged leaves a marker. */
function isRemoval({ header }: Stored): boolean {
  return header('KV-Operation') !== undefined;
}

function listedFile({ subject, seq, timeMs }: Stored): ListedFile {
  return { id: subject.slice(subject.lastIndexOf('.') + 1), seq, timeMs };
}

function textOf(entry: Stored, log: Logger): FileText | null {
  if (isRemoval(entry)) return null;
  const text = FileText.safeParse(storedJson(entry.data));
  if (text.success) return text.data;
  // One text of another version must not take the others away.
  log.warn({ err: text.error, seq: entry.seq }, 'the text of a file can not be read');
  return null;
}
