/** A frame that mutation begins with. */
import { type JsonSpans, jsonSpans } from './json-spans.ts';

export interface Seed {
  bytes: Buffer;
  isBinary: boolean;
  /** Null for what is no JSON. */
  spans: JsonSpans | null;
}

export function seedOf(content: Buffer | string, isBinary = false): Seed {
  const bytes = Buffer.from(content as string);
  return { bytes, isBinary, spans: isBinary ? null : jsonSpans(bytes) };
}
