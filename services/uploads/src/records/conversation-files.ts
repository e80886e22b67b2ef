/** Which files a conversation has: keys `conv.<c>.<file>` of `file_index`, and their texts in `file_texts`. */
import { BUCKETS, FILE_TEXT_CHARS, type FileText } from '@natter/proto';
import { type Bucket, type StreamReader, unlessConflict } from '@natter/runtime';

const PAGE = 1_000;
/** 100,000 files of one conversation; older ones than its newest are not listed anyway. */
const MAX_PAGES = 100;

export class ConversationFiles {
  readonly #index: Bucket;
  readonly #texts: Bucket;
  readonly #stored: StreamReader;

  constructor(index: Bucket, texts: Bucket, stored: StreamReader) {
    this.#index = index;
    this.#texts = texts;
    this.#stored = stored;
  }

  /** Harmless to repeat. */
  async add(conversation: string, id: string): Promise<void> {
    await unlessConflict(this.#index.create(`conv.${conversation}.${id}`, ''));
  }

  /** Takes a file and its text away. */
  async remove(conversation: string, id: string): Promise<void> {
    await this.#index.purge(`conv.${conversation}.${id}`);
    await this.removeText(conversation, id);
  }

  /** Ids of the newest files, the newest first. */
  async newest(conversation: string, limit: number): Promise<string[]> {
    const filter = `$KV.${BUCKETS.fileIndex}.conv.${conversation}.*`;
    let ids: string[] = [];
    for (let pages = 0, seq = 1; pages < MAX_PAGES; pages += 1) {
      const page = await this.#stored.from(`KV_${BUCKETS.fileIndex}`, filter, seq, PAGE);
      ids = [...ids, ...page.map(({ subject }) => subject.slice(subject.lastIndexOf('.') + 1))].slice(-limit);
      if (page.length < PAGE) break;
      seq = (page.at(-1)?.seq ?? 0) + 1;
    }
    return ids.reverse();
  }

  /** Keeps the text for agents to search, its first `FILE_TEXT_CHARS` characters; harmless to repeat. */
  async putText(conversation: string, { id, name, text }: FileText): Promise<void> {
    const value = JSON.stringify({ id, name, text: text.slice(0, FILE_TEXT_CHARS).toWellFormed() });
    await unlessConflict(this.#texts.create(`${conversation}.${id}`, value));
  }

  async removeText(conversation: string, id: string): Promise<void> {
    await this.#texts.purge(`${conversation}.${id}`);
  }
}
