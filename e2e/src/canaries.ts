/** Secrets made for one test, and the search for them in whatever text comes out. */
import { randomBytes } from 'node:crypto';

/** Letters and digits of a canary that are its own. */
const CORE_CHARS = 32;
/** A piece as long as this gives a secret away as well: error messages quote parts of what they read. */
const PIECE_CHARS = 8;

/** What looks like a credential of ours, planted or not: a signed token, an API key, an nkey's seed. */
const CREDENTIAL = /eyJ[\w-]+\.[\w-]+\.[\w-]+|nk_[a-z0-9]{16}_[\w-]{43}|SU[A-Z2-7]{56}/g;

interface Form {
  text: string;
  /** Where the secret was planted. */
  place: string;
}

export class Canaries {
  /** What to look for, by how it begins: one look at each position of a text finds all of them. */
  readonly #forms = new Map<string, Form[]>();

  /** A new secret for this place. */
  plant(place: string): string {
    // Hex: it stays as it is in a URL, in JSON and in a header.
    const core = randomBytes(CORE_CHARS / 2).toString('hex');
    this.#remember(core, place);
    return `canary-${core}`;
  }

  /** A secret that something else has made. Of a signed token it is the signature. */
  plantText(place: string, text: string): string {
    const own = text.startsWith('eyJ') ? text.slice(text.lastIndexOf('.') + 1) : text;
    this.#remember(own, place);
    return text;
  }

  /** Where the secrets were planted that a text has, or parts of them, in whatever form is usual. */
  in(text: string): string[] {
    const found = new Set<string>();
    for (const reading of new Set([text, unescaped(text), text.toLowerCase()])) this.#search(reading, found);
    for (const [credential] of text.matchAll(CREDENTIAL))
      found.add(`a credential: ${credential.slice(0, 12)}…`);
    return [...found];
  }

  #search(text: string, found: Set<string>): void {
    for (let at = 0; at + PIECE_CHARS <= text.length; at += 1)
      for (const form of this.#forms.get(text.slice(at, at + PIECE_CHARS)) ?? [])
        if (text.startsWith(form.text, at)) found.add(form.place);
  }

  #remember(secret: string, place: string): void {
    if (secret.length < PIECE_CHARS) throw new Error(`${place}: a secret of ${secret.length} characters`);
    for (let at = 0; at + PIECE_CHARS <= secret.length; at += PIECE_CHARS)
      for (const text of formsOf(secret.slice(at, at + PIECE_CHARS))) {
        const key = text.slice(0, PIECE_CHARS);
        this.#forms.set(key, [...(this.#forms.get(key) ?? []), { text, place }]);
      }
  }
}

/** Without the escapes of a URL; those that are none stay. */
function unescaped(text: string): string {
  return text.replace(/%[0-9a-f]{2}/gi, (byte) => String.fromCharCode(Number.parseInt(byte.slice(1), 16)));
}

/** As it is, as numbers of bytes, in hex, and in base64 where it begins a group of three bytes. */
function formsOf(piece: string): string[] {
  const bytes = Buffer.from(piece);
  // A secret has pieces enough for one to begin a group; six bytes of it are whole groups.
  return [piece, bytes.join(','), bytes.toString('hex'), bytes.subarray(0, 6).toString('base64')];
}
