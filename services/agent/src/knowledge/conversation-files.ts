/** The files that people have shared in a conversation, as far as they have a text. */
import { setTimeout as sleep } from 'node:timers/promises';
import { FILE_TEXT_CHARS, type FileText } from '@natter/proto';
import type { Logger } from '@natter/runtime';
import { charsOf, FILE_TEXTS_LIMITS, FileTexts, type SearchableFile, searchableFile } from './file-texts.ts';
import { type CacheLimits, FileTextsCache } from './file-texts-cache.ts';
import { type FileReads, type ListedFile, type Look, type ReadTexts, StoredFiles } from './stored-files.ts';
import { within } from './within.ts';

/** A text is stored after its file, by the broker's clock, which may have been set back meanwhile. */
const CLOCK_MS = 60_000;
/** What a look takes is milliseconds; an answer waits no longer for a bucket that is out of order. */
const LOOK_MS = 5_000;
/** An index takes about ten bytes for a character: 80 MB. */
const CACHE: CacheLimits = { conversations: 1_000, chars: 8_000_000 };

/**
 * A PDF's text takes about a second, and uploading one or two and asking at once is usual. More would
 * look as if nothing happened: until then nothing of the answer is shown.
 */
const WAIT_MS = 3_000;
/** So much at most is added to what an extraction takes; 20 small reads in all. */
const AGAIN_MS = 150;
/**
 * What has been open for longer than a hundred extractions take has failed and waits for another try,
 * up to hours: not every question meanwhile can wait for it. By the agent's clock: one that is two
 * minutes ahead of the broker's waits for nothing.
 */
const OPEN_MS = 120_000;

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Rejects once `signal` is aborted. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

const CLOCK: Clock = {
  now: Date.now,
  wait: (ms, signal) => sleep(ms, undefined, { signal }),
};

export interface ConversationFilesOptions {
  stored: FileReads;
  /** Default 5,000. */
  lookMs?: number;
  cache?: CacheLimits;
  clock?: Clock;
}

interface Found {
  texts: FileTexts;
  /** Files without a text here: it is not extracted yet, there is none, or no room for it. */
  textless: readonly ListedFile[];
}

export class ConversationFiles {
  readonly #stored: StoredFiles;
  readonly #lookMs: number;
  readonly #cache: FileTextsCache;
  readonly #clock: Clock;

  constructor({ stored, lookMs = LOOK_MS, cache = CACHE, clock = CLOCK }: ConversationFilesOptions) {
    this.#stored = new StoredFiles(stored);
    this.#lookMs = lookMs;
    this.#cache = new FileTextsCache(cache);
    this.#clock = clock;
  }

  /**
   * The texts as they are now, or null where there are none. Never rejects: an answer without the
   * files is better than none, and a line in the log says so.
   *
   * Without files it costs one request with an empty answer. With files it costs two, which bring what
   * has changed since this agent looked last. It asks each time, as nobody tells agents of a file that
   * has come or gone, and one that was ready before its question must be found.
   *
   * Where a file has no text it costs one more, and waits up to 3 s if the text is being extracted.
   */
  async of(conversation: string, signal: AbortSignal, log: Logger): Promise<FileTexts | null> {
    let found: Found | null = null;
    try {
      const look = (over: AbortSignal) => this.#look({ conversation, over, log });
      found = await within(this.#lookMs, signal, look);
      // Apart from the look: a wait that fails doesn't take away what was found before it.
      if (found?.textless.length) found = await this.#settled(found, { conversation, signal, log });
    } catch (err) {
      if (!signal.aborted) log.warn({ err }, 'files of the conversation can not be read: answering without');
    }
    return found?.texts.files.length && !signal.aborted ? found.texts : null;
  }

  /** What is found once no text is being extracted any more, or it has taken too long. */
  #settled(
    found: Found,
    { conversation, signal, log }: { conversation: string; signal: AbortSignal; log: Logger },
  ): Promise<Found | null> {
    return within(this.#lookMs, signal, async (over) => {
      const look = { conversation, over, log };
      const start = this.#clock.now();
      const since = start - OPEN_MS;
      let open = await this.#stored.open(look, found.textless, since);
      // One that isn't open may have been until a moment ago, if it is new.
      if (open.length === 0 && found.textless.every(({ timeMs }) => timeMs < since)) return found;
      while (open.length > 0 && this.#clock.now() - start + AGAIN_MS <= WAIT_MS) {
        await this.#clock.wait(AGAIN_MS, over);
        open = await this.#stored.open(look, open, since);
      }
      return this.#look(look);
    });
  }

  async #look(look: Look): Promise<Found | null> {
    const known = this.#cache.get(look.conversation);
    const found = (known && (await this.#again(look, known))) ?? (await this.#first(look));
    look.over.throwIfAborted();
    if (found === null) this.#cache.delete(look.conversation);
    else this.#cache.set(look.conversation, found.texts);
    return found;
  }

  /** What has changed; null where everything is gone, or the buckets were made anew. */
  async #again(look: Look, known: FileTexts): Promise<Found | null> {
    const { firstFile, lastText } = known.position;
    // In this order: a text that is read has been listed before it was stored.
    const read = await this.#stored.texts(look, { after: lastText });
    const listed = await this.#stored.list(look, firstFile, FILE_TEXTS_LIMITS.files);
    return listed.length === 0 ? null : brought(known, listed, read);
  }

  async #first(look: Look): Promise<Found | null> {
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
): Promise<Found> {
  const ids = new Set(listed.map(({ id }) => id));
  const unchanged = known?.position.lastText === last && known.files.every(({ id }) => ids.has(id));
  const before = new Map(known?.files.map((file) => [file.id, file]));
  const fresh = new Map(texts.map((text) => [text.id, text]));
  const textless = listed.filter(({ id }) => !before.has(id) && !fresh.has(id));
  if (known !== null && unchanged) return { texts: known, textless };
  const files: SearchableFile[] = [];
  for (const { id } of listed.toReversed()) {
    const text = fresh.get(id);
    const file = text === undefined ? before.get(id) : searchableFile(clipped(text));
    if (file !== undefined) files.unshift(file);
    // Older ones have no room, and cutting 64 long texts would hold up every answer for half a second.
    if (charsOf(files) > FILE_TEXTS_LIMITS.chars) break;
  }
  const position = { firstFile: listed[0]?.seq ?? 1, lastText: last };
  return { texts: await FileTexts.build(files, position), textless };
}

function clipped(text: FileText): FileText {
  return { ...text, text: text.text.slice(0, FILE_TEXT_CHARS) };
}
