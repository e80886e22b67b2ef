/**
 * Reads JSON, or what Python's `repr` makes of the same value: `{'a': "it's", 'b': None}`.
 *
 * Original clients put `str(dict)` into a header. Swapping the quotes, as the original server
 * does, destroys every apostrophe inside a text, so this is a reader of its own.
 */

/** Nobody's list of servers is deeper; recursion must end somewhere. */
const MAX_DEPTH = 16;
/** The largest frame the gateway takes by default; a header is at most 16 KiB. */
const MAX_CHARS = 65_536;

const SPACE = /[ \t\r\n]*/y;
const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /[A-Za-z]+/y;
/** A run of plain characters of a string, without quotes, backslashes and control characters. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not pass.
const PLAIN = /[^'"\\\u0000-\u001f]+/y;
const ESCAPE = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(['"\\/abfnrtv]))/y;

const WORDS = new Map<string, unknown>([
  ['None', null],
  ['True', true],
  ['False', false],
  ['null', null],
  ['true', true],
  ['false', false],
]);
const LETTERS: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

class MalformedLiteral extends Error {
  readonly code = 'MALFORMED_LITERAL';
}

/** The value of a text; undefined if it is neither JSON nor a literal, too long or too deep. */
export function parseLiteral(text: string): unknown {
  if (text.length > MAX_CHARS) return undefined;
  try {
    return new LiteralReader(text).read();
  } catch (err) {
    if (err instanceof MalformedLiteral) return undefined;
    throw err;
  }
}

class LiteralReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): unknown {
    const value = this.#value(0);
    if (this.#at < this.#text.length) throw new MalformedLiteral('something follows the value');
    return value;
  }

  /** One value and the space around it. */
  #value(depth: number): unknown {
    if (depth > MAX_DEPTH) throw new MalformedLiteral('too deep');
    this.#match(SPACE);
    const value = this.#bare(depth);
    this.#match(SPACE);
    return value;
  }

  #bare(depth: number): unknown {
    const first = this.#text[this.#at];
    if (first === '{') return this.#object(depth);
    if (first === '[') return this.#list(depth);
    if (first === '"' || first === "'") return this.#string(first);
    const number = this.#match(NUMBER);
    if (number !== null) return Number(number[0]);
    const word = this.#match(WORD)?.[0] ?? '';
    if (!WORDS.has(word)) throw new MalformedLiteral('no value');
    return WORDS.get(word);
  }

  /** Without a prototype, so that a key `__proto__` is one like any other. */
  #object(depth: number): Record<string, unknown> {
    const object: Record<string, unknown> = Object.create(null);
    this.#at += 1;
    while (!this.#closes('}')) {
      const quote = this.#text[this.#at];
      if (quote !== '"' && quote !== "'") throw new MalformedLiteral('a key is no string');
      const key = this.#string(quote);
      this.#match(SPACE);
      this.#expect(':');
      object[key] = this.#value(depth + 1);
      this.#comma('}');
    }
    return object;
  }

  #list(depth: number): unknown[] {
    const list: unknown[] = [];
    this.#at += 1;
    while (!this.#closes(']')) {
      list.push(this.#value(depth + 1));
      this.#comma(']');
    }
    return list;
  }

  #string(quote: string): string {
    let text = '';
    this.#at += 1;
    for (;;) {
      const plain = this.#match(PLAIN);
      if (plain !== null) text += plain[0];
      const next = this.#text[this.#at];
      if (next === quote) break;
      if (next === '"' || next === "'") {
        text += next;
        this.#at += 1;
      } else {
        text += this.#escape();
      }
    }
    this.#at += 1;
    return text;
  }

  #escape(): string {
    const found = this.#match(ESCAPE);
    if (found === null) throw new MalformedLiteral('a string that does not end, or a bad escape');
    const [, byte, unit, point, letter = ''] = found;
    if (letter !== '') return LETTERS[letter] ?? letter;
    const code = Number.parseInt(byte ?? unit ?? point ?? '', 16);
    if (code > 0x10ffff) throw new MalformedLiteral('no such character');
    // Half a pair is put together with its other half when the next escape is joined.
    return String.fromCodePoint(code);
  }

  /** Whether the brackets end here; steps over their end. */
  #closes(end: string): boolean {
    this.#match(SPACE);
    if (this.#text[this.#at] !== end) return false;
    this.#at += 1;
    return true;
  }

  /** Python's own displays may end in a comma. */
  #comma(end: string): void {
    if (this.#text[this.#at] !== end) this.#expect(',');
  }

  #expect(character: string): void {
    if (this.#text[this.#at] !== character) throw new MalformedLiteral(`no ${character}`);
    this.#at += 1;
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found !== null) this.#at += found[0].length;
    return found;
  }
}
