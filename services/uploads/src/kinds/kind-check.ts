/** Judges the content of one file against the ending of its name, part by part. */
import type { Kind, KindJudge } from '../ports.ts';
import { binaryType, isZip } from './binary-type.ts';
import { type Content, endingOf, KINDS } from './kind-table.ts';
import { OleStreams } from './ole-streams.ts';
import { byteOrderMark, TextCheck } from './text-check.ts';
import { zipDirectory } from './zip-directory.ts';

/** Enough for every magic, and for the first entries of a ZIP archive. */
const HEAD_BYTES = 64 * 1024;
/** The central directory of about 2,500 entries. */
const TAIL_BYTES = 256 * 1024;

/** Magic bytes that a text check alone would let pass: they have no control characters. */
const NO_TEXT = ['%PDF-', '%!PS-', 'GIF87a', 'GIF89a', '\xff\xd8\xff'];

/** Keeps at most 320 KiB of the file. The start decides: what is behind it may be anything. */
export class KindCheck implements KindJudge {
  readonly #name: string;
  readonly #content: Content | null;
  readonly #text = new TextCheck();
  readonly #ole: OleStreams;
  readonly #head = Buffer.alloc(HEAD_BYTES);
  #tail: Uint8Array = new Uint8Array();
  #size = 0;

  /** Takes a name that was made safe. */
  constructor(name: string) {
    this.#name = name;
    this.#content = KINDS.get(endingOf(name))?.content ?? null;
    this.#ole = new OleStreams(this.#content?.by === 'ole' ? this.#content.streams : []);
  }

  /** Every part, in order; nothing of it is kept but copies. */
  push(bytes: Uint8Array): void {
    if (this.#size < HEAD_BYTES) this.#head.set(bytes.subarray(0, HEAD_BYTES - this.#size), this.#size);
    this.#size += bytes.length;
    if (this.#content?.by === 'text') this.#text.push(bytes);
    if (this.#content?.by === 'ole') this.#ole.push(bytes);
    if (this.#content?.by === 'ooxml') this.#keepTail(bytes);
  }

  async end(): Promise<Kind> {
    const kind = KINDS.get(endingOf(this.#name));
    if (kind === undefined) return { ok: false, code: 'FILE_TYPE_NOT_ALLOWED' };
    if (!(await this.#is(kind.content))) return { ok: false, code: 'FILE_TYPE_MISMATCH' };
    return { ok: true, type: kind.type, inline: kind.inline };
  }

  async #is(content: Content): Promise<boolean> {
    if (content.by === 'text') return this.#isText(content.start);
    const head = this.#head.subarray(0, this.#size);
    if (content.by === 'zip') return isZip(head);
    const type = await binaryType(head, this.#size);
    if (type === null) return false;
    if (content.by === 'ole') return type === 'application/x-cfb' && this.#ole.found;
    if (content.types.includes(type)) return true;
    return content.by === 'ooxml' && type === 'application/zip' && this.#lists(content.folder);
  }

  #isText(start?: RegExp): boolean {
    if (!this.#text.end()) return false;
    const head = this.#head.subarray(0, this.#size);
    if (NO_TEXT.some((magic) => head.toString('latin1', 0, magic.length) === magic)) return false;
    if (start === undefined) return true;
    return start.test(new TextDecoder(byteOrderMark(head) ?? 'utf-8').decode(head));
  }

  /** Of an archive whose content list is behind the head. */
  #lists(folder: string): boolean {
    const names = zipDirectory(this.#tail);
    return (
      names?.includes('[Content_Types].xml') === true &&
      names.some((name) => name.startsWith(folder)) &&
      !names.some((name) => name.endsWith('vbaProject.bin'))
    );
  }

  #keepTail(bytes: Uint8Array): void {
    const older = this.#tail.subarray(Math.max(0, this.#tail.length + bytes.length - TAIL_BYTES));
    this.#tail = Buffer.concat([older, bytes.subarray(-TAIL_BYTES)]);
  }
}
