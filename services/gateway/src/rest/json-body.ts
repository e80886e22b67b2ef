/** The JSON object in the body of a request, checked against a schema. */
import type { z } from 'zod';
import { errorReply, type HttpReply } from './route.ts';

export type Parsed<T> = { ok: true; value: T } | { ok: false; reply: HttpReply };

const decoder = new TextDecoder('utf-8', { fatal: true });

/** A field that the schema doesn't know is named as its client does. */
const DETAIL_CHARS = 64;

/** A field that can't be used is named in `detail`. */
export function jsonBody<T>(bytes: Uint8Array, schema: z.ZodType<T>): Parsed<T> {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(bytes));
  } catch {
    return { ok: false, reply: errorReply('INVALID_JSON') };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { ok: false, reply: errorReply('INVALID_JSON') };
  const parsed = schema.safeParse(value);
  if (parsed.success) return { ok: true, value: parsed.data };
  return { ok: false, reply: errorReply('INVALID_FIELD', { fields: detailOf(parsed.error) }) };
}

function detailOf({ issues: [issue] }: z.ZodError): { detail?: string } {
  const field = issue?.code === 'unrecognized_keys' ? issue.keys[0] : issue?.path[0];
  return field === undefined ? {} : { detail: String(field).slice(0, DETAIL_CHARS) };
}
