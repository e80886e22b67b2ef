/** Schemas that read the text of an environment variable. */
import { z } from 'zod';

const text = z.string().optional();

/** A whole number within a range. */
export function integer(fallback: number, min: number, max: number) {
  return text.transform((value, context) => {
    if (value === undefined) return fallback;
    const number = Number(value);
    if (/^-?\d+$/.test(value) && number >= min && number <= max) return number;
    context.addIssue(`must be a whole number from ${min} to ${max}`);
    return z.NEVER;
  });
}

/** A whole number within a range, a word in place of one, or null when unset. */
export function integerOr<W extends string>(word: W, min: number, max: number) {
  return text.transform((value, context): number | W | null => {
    if (value === undefined) return null;
    if (value === word) return word;
    const number = Number(value);
    if (/^-?\d+$/.test(value) && number >= min && number <= max) return number;
    context.addIssue(`must be a whole number from ${min} to ${max}, or ${word}`);
    return z.NEVER;
  });
}

/** true/false, 1/0, yes/no, on/off. */
export function flag(fallback: boolean) {
  return text.transform((value, context) => {
    if (value === undefined) return fallback;
    if (/^(true|1|yes|on)$/i.test(value)) return true;
    if (/^(false|0|no|off)$/i.test(value)) return false;
    context.addIssue('must be true or false');
    return z.NEVER;
  });
}

/** true/false, or null when unset. */
export function optionalFlag() {
  return text.transform((value, context): boolean | null => {
    if (value === undefined) return null;
    if (/^(true|1|yes|on)$/i.test(value)) return true;
    if (/^(false|0|no|off)$/i.test(value)) return false;
    context.addIssue('must be true or false');
    return z.NEVER;
  });
}

/** One of a few words. */
export function choice<const W extends readonly [string, ...string[]]>(words: W, fallback: W[number]) {
  return text.transform((value, context): W[number] => {
    if (value === undefined) return fallback;
    if (words.includes(value)) return value;
    context.addIssue(`must be one of ${words.join(', ')}`);
    return z.NEVER;
  });
}

/** Any text; `fallback` when unset. */
export function string(fallback: string) {
  return text.transform((value) => value ?? fallback);
}

/** Any text, or null when unset. */
export function optional() {
  return text.transform((value) => value ?? null);
}

/** Words separated by commas. */
export function list(fallback: string[]) {
  return text.transform((value) =>
    value === undefined
      ? fallback
      : value
          .split(',')
          .map((item) => item.trim())
          .filter(Boolean),
  );
}

/** An http or https URL without a trailing slash, or null when unset. */
export function httpUrl() {
  return text.transform((value, context) => {
    if (value === undefined) return null;
    if (/^https?:$/.test(URL.parse(value)?.protocol ?? '')) return value.replace(/\/+$/, '');
    context.addIssue('must be an http or https URL');
    return z.NEVER;
  });
}
