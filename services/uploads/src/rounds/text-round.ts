/** Extracts texts of files that are ready, so that agents can search them. */
import { READ_BYTES } from '@natter/proto';
import type { Logger } from '@natter/runtime';
import type { Kept } from '../kept.ts';
import type { TextExtractor } from '../ports.ts';
import { readWhole } from '../store/read-whole.ts';

/** An extraction that takes longer is taken for dead; extractors have limits far below. */
const HOLD_MS = 300_000;

export interface TextParts {
  extractor: TextExtractor;
  log: Logger;
  count(result: 'text' | 'none' | 'failed'): void;
}

/** Files whose instance has died, one after the other. */
export async function textRound(kept: Kept, parts: TextParts): Promise<void> {
  for (const id of await kept.texts.open()) {
    if (await kept.texts.claim(id, HOLD_MS)) await extractText(kept, id, parts);
  }
}

/** Without a text the file is as good as before: a failure is a line in the log. */
export async function extractText(
  kept: Kept,
  id: string,
  { extractor, log, count }: TextParts,
): Promise<void> {
  const found = await kept.files.get(id);
  const conversation = found?.file.conversation ?? null;
  if (found !== null && conversation !== null && found.file.state === 'ready') {
    const { file, placement } = found;
    const read = () => readWhole(kept.stores.of(placement.store), placement, file.size, READ_BYTES);
    const text = await extractor.extract({ name: file.name, type: file.type }, read).catch((err: unknown) => {
      log.warn({ err, file: id }, 'the text of a file could not be extracted');
      return undefined;
    });
    count(text === undefined ? 'failed' : text === null ? 'none' : 'text');
    if (typeof text === 'string' && text !== '') {
      await kept.conversations.putText(conversation, { id, name: file.name, text });
      // Deleted meanwhile: its text must not outlive it.
      if ((await kept.files.get(id)) === null) await kept.conversations.removeText(conversation, id);
    }
  }
  await kept.texts.done(id);
}
