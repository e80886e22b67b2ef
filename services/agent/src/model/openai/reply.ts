/** One streamed reply from its bytes to its end, its text handed on piece by piece. */
import { APIError } from 'openai';
import type { ModelFinish } from '../model.ts';
import { ModelError } from '../model-error.ts';
import type { Deadlines } from './deadlines.ts';
import { EventStream } from './event-stream.ts';
import { ReplyReader } from './reply-reader.ts';

/** The time a finished reply waits for the chunk with the token count, which some never send. */
const USAGE_WAIT_MS = 2_000;

export class Reply {
  /** What `hear` threw; the request is over then. */
  unheard: { reason: unknown } | null = null;
  readonly #reader: ReplyReader;
  readonly #deadlines: Deadlines;
  readonly #hear: (text: string) => void;
  readonly #events = new EventStream((data, name) => this.#event(data, name));
  /** Of the bytes being taken. */
  #text = '';
  /** The server said that nothing more comes. */
  #done = false;

  constructor(model: string, deadlines: Deadlines, hear: (text: string) => void) {
    this.#reader = new ReplyReader(model);
    this.#deadlines = deadlines;
    this.#hear = hear;
  }

  get started(): boolean {
    return this.#reader.started;
  }

  get finished(): boolean {
    return this.#reader.finished;
  }

  /** True when nothing more is wanted. Throws what `hear` throws, APIError, or ModelError. */
  take(bytes: Buffer): boolean {
    try {
      this.#events.push(bytes);
    } finally {
      // What was said before a mistake was said; several tokens of one read are one text.
      if (this.#text !== '') this.#say();
    }
    if (this.#reader.finished) this.#deadlines.endWithin(USAGE_WAIT_MS);
    else if (this.#reader.started) this.#deadlines.tokenArrived();
    return this.#done || this.#reader.complete;
  }

  /** Throws ModelError CUT_OFF when the model never said that the reply is whole. */
  finish(): ModelFinish {
    return this.#reader.finish();
  }

  #say(): void {
    const text = this.#text;
    this.#text = '';
    try {
      this.#hear(text);
    } catch (reason) {
      this.unheard = { reason };
      throw reason;
    }
  }

  #event(data: string, name: string): void {
    if (this.#done) return;
    if (data === '[DONE]') {
      this.#done = true;
      return;
    }
    const chunk = parse(data);
    const error = (chunk as { error?: object } | null)?.error;
    // As the SDK reads them: an error in a stream that began well.
    if (error || name === 'error') throw new APIError(undefined, error ?? chunk ?? {}, undefined, undefined);
    this.#text += this.#reader.take(chunk);
  }
}

function parse(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch (cause) {
    throw new ModelError('BAD_REPLY', 'a chunk of the reply is no JSON', { cause });
  }
}
