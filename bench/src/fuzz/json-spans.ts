/** Where the values and members of a JSON text are, so that they can be exchanged without parsing it again. */

export interface Span {
  start: number;
  /** Behind the last byte. */
  end: number;
}

export interface JsonSpans {
  /** Every value, the whole text included. */
  values: Span[];
  /** Every `"key": value` of an object. */
  members: Span[];
  /** The key of each member, quotes included. */
  keys: Span[];
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACES = new Set([0x20, 0x09, 0x0a, 0x0d]);
const ENDS_SCALAR = new Set([...SPACES, ...Buffer.from(',]}')]);

/** Null for what is no JSON. */
export function jsonSpans(text: Buffer): JsonSpans | null {
  try {
    JSON.parse(text.toString());
  } catch {
    return null;
  }
  const spans: JsonSpans = { values: [], members: [], keys: [] };
  readValue(text, 0, spans);
  return spans;
}

/** Reads a value of valid JSON; returns where it ends. */
function readValue(text: Buffer, from: number, spans: JsonSpans): number {
  const start = skipSpaces(text, from);
  const end = endOfValue(text, start, spans);
  spans.values.push({ start, end });
  return end;
}

function endOfValue(text: Buffer, start: number, spans: JsonSpans): number {
  const first = String.fromCharCode(text[start] as number);
  if (first === '"') return endOfString(text, start);
  if (first === '{') return endOfList(text, start, '}', (at) => readMember(text, at, spans));
  if (first === '[') return endOfList(text, start, ']', (at) => readValue(text, at, spans));
  let at = start;
  while (at < text.length && !ENDS_SCALAR.has(text[at] as number)) at += 1;
  return at;
}

function endOfList(text: Buffer, start: number, close: string, readOne: (at: number) => number): number {
  let at = skipSpaces(text, start + 1);
  while (text[at] !== close.charCodeAt(0)) {
    at = skipSpaces(text, readOne(at));
    // A comma, or the end.
    if (text[at] === 0x2c) at = skipSpaces(text, at + 1);
  }
  return at + 1;
}

function readMember(text: Buffer, start: number, spans: JsonSpans): number {
  const keyEnd = endOfString(text, start);
  const colon = skipSpaces(text, keyEnd);
  const end = readValue(text, colon + 1, spans);
  spans.keys.push({ start, end: keyEnd });
  spans.members.push({ start, end });
  return end;
}

function endOfString(text: Buffer, start: number): number {
  let at = start + 1;
  while (text[at] !== QUOTE) at += text[at] === BACKSLASH ? 2 : 1;
  return at + 1;
}

function skipSpaces(text: Buffer, from: number): number {
  let at = from;
  while (SPACES.has(text[at] as number)) at += 1;
  return at;
}
