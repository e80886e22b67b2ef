/** The text of a DOCX: what stands in the runs of its main document, a line for each paragraph. */
import { SaxesParser, type SaxesTagNS } from 'saxes';
import { type Entry, fromBufferPromise, type ZipFile } from 'yauzl';

/** Nothing else of the archive is unpacked. */
const DOCUMENT = 'word/document.xml';
/** Entries that are looked at for it; Word writes it among the first ten. */
const MAX_ENTRIES = 10_000;
/** Inflated bytes that are read: far more markup than `FILE_TEXT_CHARS` of text has. */
const MAX_INFLATED = 16 * 1024 * 1024;
/** Word nests tables and text boxes; nobody nests them so deep. */
const MAX_DEPTH = 256;

/** ECMA-376 Part 4 (transitional) and Part 1 (strict). */
const WORD = new Set([
  'http://schemas.openxmlformats.org/wordprocessingml/2006/main',
  'http://purl.oclc.org/ooxml/wordprocessingml/main',
]);

/**
 * Hands pieces of text to `add` until that returns false, or 16 MiB of the document have been read.
 *
 * Throws where there is no such document, it is encrypted, or is longer than it says (yauzl).
 */
export async function docxText(bytes: Uint8Array, add: (text: string) => boolean): Promise<void> {
  const archive = await fromBufferPromise(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), {
    lazyEntries: true,
  });
  const entry = await findDocument(archive);
  if (entry === null) throw new Error('it has no document');
  if (entry.isEncrypted()) throw new Error('it is encrypted');
  const stream = await archive.openReadStreamPromise(entry);
  const parser = new DocumentParser(add);
  const decoder = new TextDecoder('utf-8');
  let inflated = 0;
  for await (const part of stream as AsyncIterable<Uint8Array>) {
    inflated += part.length;
    if (!parser.write(decoder.decode(part, { stream: true })) || inflated >= MAX_INFLATED) return;
  }
}

async function findDocument(archive: ZipFile): Promise<Entry | null> {
  let seen = 0;
  for await (const entry of archive.eachEntry()) {
    if (entry.fileName === DOCUMENT) return entry;
    seen += 1;
    if (seen >= MAX_ENTRIES) return null;
  }
  return null;
}

class DocumentParser {
  readonly #parser = new SaxesParser({ xmlns: true, position: false });
  readonly #add: (text: string) => boolean;
  #depth = 0;
  /** Depth of the mc:Fallback we are in: it says again what was said for newer programs. */
  #fallback = 0;
  #inText = false;
  #more = true;

  constructor(add: (text: string) => boolean) {
    this.#add = add;
    this.#parser.on('opentag', (tag) => this.#open(tag));
    this.#parser.on('closetag', (tag) => this.#close(tag));
    this.#parser.on('text', (text) => {
      if (this.#inText) this.#say(text);
    });
    this.#parser.on('error', (error) => {
      throw error;
    });
  }

  /** False once enough was said. Throws for what is no XML; entities of its own are no XML here. */
  write(text: string): boolean {
    this.#parser.write(text);
    return this.#more;
  }

  #open(tag: SaxesTagNS): void {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw new Error('it is nested too deep');
    if (tag.local === 'Fallback' && this.#fallback === 0) this.#fallback = this.#depth;
    if (this.#fallback > 0 || !WORD.has(tag.uri)) return;
    if (tag.local === 't') this.#inText = true;
    else if (tag.local === 'tab') this.#say('\t');
    else if (tag.local === 'br' || tag.local === 'cr') this.#say('\n');
  }

  #close(tag: SaxesTagNS): void {
    if (this.#fallback === this.#depth) this.#fallback = 0;
    this.#depth -= 1;
    this.#inText = false;
    if (this.#fallback === 0 && tag.local === 'p' && WORD.has(tag.uri)) this.#say('\n');
  }

  #say(text: string): void {
    if (this.#more && this.#fallback === 0) this.#more = this.#add(text);
  }
}
