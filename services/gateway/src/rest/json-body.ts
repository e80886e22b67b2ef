/** The JSON object in the body of a request, checked against a schema. */
import type { z } from 'zod';
import { errorReply, type HttpReply } from './route.ts';

export type Parsed<T> = { ok: true; value: T } | { ok: false; reply: HttpReply };

const decoder = new TextDecoder('utf-8', { fatal: true });

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
  return parsed.success
    ? { ok: true, value: parsed.data }
    : { ok: false, reply: errorReply('INVALID_FIELD') };
}
