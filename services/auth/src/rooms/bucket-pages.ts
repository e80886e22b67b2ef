/** Lists the keys of a bucket below a prefix, in pages. */
import type { Stored, StreamReader } from '@natter/runtime';

const PAGE = 1_000;

/**
 * The values whose key is `prefix` and one more token, in the order of their last write.
 *
 * Deleted keys are left out. Ends after `maxPages` pages of 1,000 keys, deleted ones among them.
 * Read from any replica: for lists, never to permit something.
 */
export async function* bucketPages(
  stored: StreamReader,
  bucket: string,
  prefix: string,
  maxPages: number,
): AsyncGenerator<Stored[]> {
  let seq = 1;
  for (let pages = 0; pages < maxPages; pages += 1) {
    const page = await stored.from(`KV_${bucket}`, `$KV.${bucket}.${prefix}.*`, seq, PAGE);
    yield page.filter((message) => message.header('KV-Operation') === undefined);
    if (page.length < PAGE) return;
    seq = (page.at(-1)?.seq ?? 0) + 1;
  }
}
