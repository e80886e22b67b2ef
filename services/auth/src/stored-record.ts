/** Values of the buckets: JSON of one schema each. */
import type { Entry, Logger } from '@natter/runtime';
import type { z } from 'zod';

const decoder = new TextDecoder();

/** The value, or null when it can't be read: what nobody can read permits nothing. Logged. */
export function readRecord<T>(schema: z.ZodType<T>, entry: Pick<Entry, 'value'>, log: Logger): T | null {
  try {
    return schema.parse(JSON.parse(decoder.decode(entry.value)));
  } catch (err) {
    log.error({ err }, 'a stored record could not be read');
    return null;
  }
}
