/** The text of files, for the agents to search: the first 300,000 characters. */
import { FILE_TEXT_CHARS } from '@natter/proto';
import { endingOf } from '../kinds/kind-table.ts';
import type { TextExtractor } from '../ports.ts';
import { Slots } from '../slots.ts';
import { runBounded } from './bounded-child.ts';
import { plainText } from './plain-text.ts';
import { TextError } from './text-error.ts';

export interface TextOptions {
  /** Default 10,000. */
  timeoutMs?: number;
  /** Of the process that parses; default 512. Parsing nothing takes about 100. */
  memoryMiB?: number;
  /** PDF and DOCX files that wait while another one is read; default 16. */
  maxWaiting?: number;
  /** Default `FILE_TEXT_CHARS`. */
  chars?: number;
}

const TIMEOUT_MS = 10_000;
const MEMORY_MIB = 512;
const MAX_WAITING = 16;

/** Decoded here; an SVG or RTF is drawn and set by what its text says, and is no text to read. */
const TEXTS = new Set(['txt', 'md', 'csv', 'json', 'xml', 'html', 'css', 'js', 'py']);
const PARSED: Record<string, 'pdf' | 'docx'> = { pdf: 'pdf', docx: 'docx' };

/** Whatever no text is made of. */
const CONTROLS = /[^\P{Cc}\t\n]/gu;

/**
 * `extract` throws TextError where the text can't be had, and gives null where there is none: for other
 * kinds, and a PDF that is a scanned picture. PDF and DOCX are read one at a time. Archives never are.
 */
export function createTextExtractor(options: TextOptions = {}): TextExtractor {
  const chars = options.chars ?? FILE_TEXT_CHARS;
  const limits = {
    timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
    memoryMiB: options.memoryMiB ?? MEMORY_MIB,
    chars,
  };
  const slots = new Slots(1, options.maxWaiting ?? MAX_WAITING);
  const closing = new AbortController();
  const running = new Set<Promise<string>>();

  async function parse(kind: 'pdf' | 'docx', read: () => AsyncIterable<Uint8Array>): Promise<string> {
    if (!(await slots.take())) throw new TextError('TEXT_BUSY', 'too many files wait');
    try {
      if (closing.signal.aborted) throw new TextError('TEXT_CLOSED', 'the service stops');
      return await runBounded(kind, read(), limits, closing.signal);
    } finally {
      slots.release();
    }
  }

  return {
    async extract({ name }, read) {
      const ending = endingOf(name);
      const kind = PARSED[ending];
      if (kind === undefined) return TEXTS.has(ending) ? tidy(await plainText(read(), chars), chars) : null;
      const text = parse(kind, read);
      running.add(text);
      try {
        return tidy(await text, chars);
      } finally {
        running.delete(text);
      }
    },
    async close() {
      closing.abort();
      await Promise.allSettled(running);
    },
  };
}

/** Lines end in LF, nothing is there that JSON would write in six bytes; null where nothing is left. */
function tidy(text: string, chars: number): string | null {
  const clean = text
    .replace(/\r\n?|\f/g, '\n')
    .replace(CONTROLS, '')
    .slice(0, chars);
  // The cut may have left half of a character.
  const whole = clean.replace(/[\ud800-\udbff]$/, '').toWellFormed();
  return whole.trim() === '' ? null : whole;
}
