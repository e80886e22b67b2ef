/** Server-sent events out of pieces of text (HTML Standard, 9.2.6). */

export interface SseEvent {
  /** Lines of data, joined by line feeds. */
  data: string;
  /** The last id that the stream has named, in this event or before; null before the first. */
  id: string | null;
}

/** Characters of one event; a log line has at most 16 KiB. What is longer is left out. */
const MAX_EVENT = 1024 * 1024;

export class SseParser {
  /** What the server asked for by `retry:`, in milliseconds, or null. */
  retryMs: number | null = null;
  /** Events that were left out because they are too long. */
  tooLong = 0;
  #id: string | null = null;
  #data: string[] = [];
  #size = 0;
  /** The beginning of a line whose end has not come. */
  #rest = '';
  /** The last piece ended with a carriage return: a line feed at the beginning of the next belongs to it. */
  #afterReturn = false;
  #begun = false;

  /** The events that end within this piece. */
  push(piece: string): SseEvent[] {
    if (piece === '') return [];
    let text = piece;
    if (!this.#begun && text.startsWith('\ufeff')) text = text.slice(1);
    if (this.#afterReturn && text.startsWith('\n')) text = text.slice(1);
    this.#begun = true;
    this.#afterReturn = piece.endsWith('\r');
    const lines = (this.#rest + text).split(/\r\n|\r|\n/);
    this.#rest = lines.pop() ?? '';
    const events = lines.flatMap((line) => this.#line(line));
    if (this.#rest.length > MAX_EVENT) {
      // A line of one character too many is as good as any other: nobody reads it.
      this.#size = Number.POSITIVE_INFINITY;
      this.#rest = this.#rest.slice(0, 16);
    }
    return events;
  }

  #line(line: string): SseEvent[] {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') {
      this.#size += value.length + 1;
      if (this.#size <= MAX_EVENT) this.#data.push(value);
      else this.#data.length = 0;
    } else if (field === 'id' && !value.includes('\0')) this.#id = value;
    else if (field === 'retry' && /^\d{1,9}$/.test(value)) this.retryMs = Number(value);
    return [];
  }

  #dispatch(): SseEvent[] {
    const data = this.#data;
    const isTooLong = this.#size > MAX_EVENT;
    this.#data = [];
    this.#size = 0;
    if (isTooLong) this.tooLong += 1;
    return isTooLong || data.length === 0 ? [] : [{ data: data.join('\n'), id: this.#id }];
  }
}
