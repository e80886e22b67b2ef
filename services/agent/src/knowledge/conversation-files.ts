/** The files that people have shared in a conversation, as far as they have a text. */
import { FILE_TEXT_CHARS, type FileText } from '@natter/proto';
import type { Logger } from '@natter/runtime';
import { charsOf, FILE_TEXTS_LIMITS, FileTexts, type SearchableFile, searchableFile } from './file-texts.ts';
import { type CacheLimits, FileTextsCache } from './file-texts-cache.ts';
import { KnowledgeError } from './knowledge-error.ts';
import { type FileReads, type ListedFile, type Look, type ReadTexts, StoredFiles } from './stored-files.ts';

/** A text is stored after its file, by the broker's clock, which may have been set back meanwhile. */
const CLOCK_MS = 60_000;
/** What a look takes is milliseconds; an answer waits no longer for a bucket that is out of order. */
const LOOK_MS = 5_000;
/** An index takes about ten bytes for a character: 80 MB. */
const CACHE: CacheLimits = { conversations: 1_000, chars: 8_000_000 };

export interface ConversationFilesOptions {
  stored: FileReads;
  /** Default 5,000. */
  lookMs?: number;
  cache?: CacheLimits;
}

export class ConversationFiles {
  readonly #stored: StoredFiles;
  readonly #lookMs: number;
  readonly #cache: FileTextsCache;

  constructor({ stored, lookMs = LOOK_MS, cache = CACHE }: ConversationFilesOptions) {
    this.#stored = new StoredFiles(stored);
    this.#lookMs = lookMs;
    this.#cache = new FileTextsCache(cache);
  }

  /**
   * The texts as they are now, or null where there are none. Never rejects: an answer without the
   * files is better than none, and a line in the log says so.
   *
   * Without files it costs one request with an empty answer. With files it costs two, which bring what
   * has changed since this agent looked last. It asks each time, as nobody tells agents of a file that
   * has come or gone, and one that was ready before its question must be found.
   */
  async of(conversation: string, signal: AbortSignal, log: Logger): Promise<FileTexts | null> {
    const over = new AbortController();
    const { promise: ended, reject } = Promise.withResolvers<never>();
    const end = (reason: unknown) => {
      over.abort(reason);
      reject(reason);
    };
    const cancel = () => end(signal.reason);
    const slow = () => end(new KnowledgeError(`no answer within ${this.#lookMs} ms`));
    const timer = setTimeout(slow, this.#lookMs);
    signal.addEventListener('abort', cancel, { once: true });
    try {
      return await Promise.race([this.#look({ conversation, over: over.signal, log }), ended]);
    } catch (err) {
      if (!signal.aborted) log.warn({ err }, 'files of the conversation can not be read: answering without');
      return null;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', cancel);
    }
  }

  async #look(look: Look): Promise<FileTexts | null> {
    const known = this.#cache.get(look.conversation);
    const found = (known && (await this.#again(look, known))) ?? (await this.#first(look));
    look.over.throwIfAborted();
    if (found === null) this.#cache.delete(look.conversation);
    else this.#cache.set(look.conversation, found);
    return found?.files.length ? found : null;
  }

  /** What has changed; null where everything is gone, or the buckets were made anew. */
  async #again(look: Look, known: FileTexts): Promise<FileTexts | null> {
    const { firstFile, lastText } = known.position;
    // In this order: a text that is read has been listed before it was stored.
    const read = await this.#stored.texts(look, { after: lastText });
    const listed = await this.#stored.list(look, firstFile, FILE_TEXTS_LIMITS.files);
    return listed.length === 0 ? null : brought(known, listed, read);
  }

  async #first(look: Look): Promise<FileTexts | null> {
    if (!(await this.#stored.any(look))) return null;
    const [oldest] = await this.#stored.list(look, 1, FILE_TEXTS_LIMITS.files);
    if (oldest === undefined) return null;
    // Not from the beginning: texts of files that are too old would be read for nothing.
    const read = await this.#stored.texts(look, { since: oldest.timeMs - CLOCK_MS });
    const listed = await this.#stored.list(look, oldest.seq, FILE_TEXTS_LIMITS.files);
    return listed.length === 0 ? null : brought(null, listed, read);
  }
}

/** Brings what was known up to date: without files that are listed no more, with texts that are new. */
async function brought(
  known: FileTexts | null,
  listed: readonly ListedFile[],
  { texts, last }: ReadTexts,
): Promise<FileTexts> {
  const ids = new Set(listed.map(({ id }) => id));
  const unchanged = known?.position.lastText === last && known.files.every(({ id }) => ids.has(id));
  if (known !== null && unchanged) return known;
  const before = new Map(known?.files.map((file) => [file.id, file]));
  const fresh = new Map(texts.map((text) => [text.id, text]));
  const files: SearchableFile[] = [];
  for (const { id } of listed.toReversed()) {
    const text = fresh.get(id);
    const file = text === undefined ? before.get(id) : searchableFile(clipped(text));
    if (file !== undefined) files.unshift(file);
    // Older ones have no room, and cutting 64 long texts would hold up every answer for half a second.
    if (charsOf(files) > FILE_TEXTS_LIMITS.chars) break;
  }
  return FileTexts.build(files, { firstFile: listed[0]?.seq ?? 1, lastText: last });
}

function clipped(text: FileText): FileText {
  return { ...text, text: text.text.slice(0, FILE_TEXT_CHARS) };
}
