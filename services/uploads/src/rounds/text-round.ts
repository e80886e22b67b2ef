/** Extracts texts of files that are ready, so that agents can search them. */
import { READ_BYTES } from '@natter/proto';
import { BusError, type Logger } from '@natter/runtime';
import type { Kept } from '../kept.ts';
import type { TextExtractor } from '../ports.ts';
import type { StoredFile } from '../records/stored-file.ts';
import { readWhole } from '../store/read-whole.ts';
import { growingWait } from './growing-wait.ts';

/** An extraction that takes longer is taken for dead; extractors have limits far below. */
const HOLD_MS = 300_000;

const FIRST_WAIT_MS = 30_000;
/** With waits that grow to an hour, most of a working day in which somebody may make room for texts. */
const MOST_TRIES = 12;

export interface TextParts {
  extractor: TextExtractor;
  log: Logger;
  count(result: 'text' | 'none' | 'failed'): void;
}

/** Files whose instance has died, one after the other. */
export async function textRound(kept: Kept, parts: TextParts): Promise<void> {
  for (const id of await kept.texts.open()) {
    const tries = await kept.texts.claim(id, HOLD_MS);
    if (tries === 0) continue;
    if (tries > MOST_TRIES) {
      parts.log.warn({ file: id }, 'the text of a file is given up');
      parts.count('failed');
      await kept.texts.done(id);
      continue;
    }
    try {
      await extractText(kept, id, parts);
    } catch (err) {
      parts.log.warn({ err, file: id, tries }, 'the text of a file waits for another try');
      await kept.texts.postpone(id, growingWait(FIRST_WAIT_MS, tries));
    }
  }
}

/** Codes of an extractor that has not looked at the file: it stops, or has too much to do. */
const NOT_TRIED = ['TEXT_CLOSED', 'TEXT_BUSY'];

/** Without a text the file is as good as before: a failure is a line in the log. */
export async function extractText(kept: Kept, id: string, parts: TextParts): Promise<void> {
  const found = await kept.files.get(id);
  const conversation = found?.file.conversation ?? null;
  if (found !== null && conversation !== null && found.file.state === 'ready') {
    const text = await textOf(kept, found, parts);
    if (text === NOT_NOW) return kept.texts.postpone(id, 0, true);
    if (text !== null && text !== '') {
      await kept.conversations.putText(conversation, { id, name: found.file.name, text });
      // Deleted meanwhile: its text must not outlive it.
      if ((await kept.files.get(id)) === null) await kept.conversations.removeText(conversation, id);
    }
  }
  await kept.texts.done(id);
}

const NOT_NOW = Symbol('not tried');

/** Throws BusError where the bytes can't be had: another try may. */
async function textOf(
  kept: Kept,
  { file, placement }: StoredFile,
  { extractor, log, count }: TextParts,
): Promise<string | null | typeof NOT_NOW> {
  const read = () => readWhole(kept.stores.of(placement.store), placement, file.size, READ_BYTES);
  try {
    const text = await extractor.extract({ name: file.name, type: file.type }, read);
    count(text === null ? 'none' : 'text');
    return text;
  } catch (err) {
    if (err instanceof BusError) throw err;
    if (NOT_TRIED.includes((err as { code?: string }).code ?? '')) return NOT_NOW;
    log.warn({ err, file: file.id }, 'the text of a file could not be extracted');
    count('failed');
    return null;
  }
}
