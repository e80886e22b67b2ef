/** Cuts a response into server-sent events, however the network has cut it (WHATWG HTML, 9.2). */
import { StringDecoder } from 'node:string_decoder';
import { ModelError } from '../model-error.ts';

/** The longest answer in one event, each of its characters escaped. */
const MAX_EVENT_CHARS = 2 * 1024 * 1024;
const BYTE_ORDER_MARK = 0xfeff;

export class EventStream {
  /** Called with the data of each event and its name; unnamed ones have an empty name. */
  readonly #heard: (data: string, name: string) => void;
  readonly #decoder = new StringDecoder('utf8');
  /** The beginning of a line whose end has not come. */
  #line = '';
  /** Of the event under way; null before its first line of data. */
  #data: string | null = null;
  #name = '';
  #begun = false;
  /** The last character was a carriage return: a line feed that follows belongs to it. */
  #afterReturn = false;

  constructor(heard: (data: string, name: string) => void) {
    this.#heard = heard;
  }

  /**
   * Takes bytes as they come, however long a line is searched only once.
   *
   * Throws ModelError for an event without an end, and what `heard` throws. An event that is
   * not followed by an empty line never happened.
   */
  push(bytes: Buffer): void {
    let text = this.#decoder.write(bytes);
    if (text === '') return;
    if (!this.#begun && text.charCodeAt(0) === BYTE_ORDER_MARK) text = text.slice(1);
    this.#begun = true;
    if (this.#afterReturn && text.startsWith('\n')) text = text.slice(1);
    this.#afterReturn = text.endsWith('\r');
    this.#cut(text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text);
  }

  #cut(text: string): void {
    let at = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', at)) {
      const line = this.#line + text.slice(at, end);
      this.#line = '';
      at = end + 1;
      this.#take(line);
    }
    this.#line += text.slice(at);
    this.#bound(this.#line.length);
  }

  #take(line: string): void {
    if (line === '') return this.#dispatch();
    if (line.startsWith('data:')) {
      const value = line.slice(line[5] === ' ' ? 6 : 5);
      this.#bound(value.length);
      this.#data = this.#data === null ? value : `${this.#data}\n${value}`;
    } else if (line.startsWith('event:')) {
      this.#name = line.slice(line[6] === ' ' ? 7 : 6);
    }
    // Comments, which keep connections alive, and the fields nobody here needs.
  }

  #dispatch(): void {
    const data = this.#data;
    const name = this.#name;
    this.#data = null;
    this.#name = '';
    if (data !== null && data !== '') this.#heard(data, name);
  }

  #bound(chars: number): void {
    if (chars + (this.#data?.length ?? 0) > MAX_EVENT_CHARS)
      throw new ModelError('BAD_REPLY', `an event of more than ${MAX_EVENT_CHARS} characters`);
  }
}
