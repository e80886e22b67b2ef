/** An upload over tus that goes on after breaks: plain requests, one for each part. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Stack } from '@natter/testkit';
import { ANSWER_MS } from './chat.ts';
import type { Arrived, ResumingUpload } from './resuming-upload.ts';
import { type FileToUpload, PART_BYTES, partsOf } from './uploading-client.ts';

/** Between two tries where nobody can answer now. */
const AGAIN_MS = 100;

interface Asking {
  body?: Buffer;
  /** Statuses that are answers too. */
  expected?: number[];
  /** Default: of the connection as it is now. */
  signal?: AbortSignal;
}

export class TusUpload implements ResumingUpload {
  /** The last one is sent by `finish`: with its last byte an upload of tus is finished. */
  readonly parts: readonly number[];
  readonly #stack: Pick<Stack, 'httpUrl'>;
  readonly #headers: Record<string, string>;
  readonly #file: FileToUpload;
  readonly #partBytes: number;
  #gateway = 0;
  #path = '/api/v1/uploads';
  #id = '';
  #offset = 0;
  #connection = new AbortController();

  constructor(stack: Pick<Stack, 'httpUrl'>, token: string, file: FileToUpload) {
    this.#stack = stack;
    this.#headers = { authorization: `Bearer ${token}`, 'tus-resumable': '1.0.0' };
    this.#file = file;
    this.#partBytes = file.partBytes ?? PART_BYTES;
    this.parts = [...partsOf(file.content, file.partBytes).keys()].slice(0, -1);
  }

  get id(): string {
    return this.#id;
  }

  subjectOf(_index: number): string {
    return `chunk.${this.#id}.*`;
  }

  async begin(gateway: number): Promise<void> {
    this.#gateway = gateway;
    const { name, room, content } = this.#file;
    const metadata = Object.entries({ filename: name, room_id: room })
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => `${key} ${Buffer.from(value ?? '').toString('base64')}`);
    const headers = { 'upload-length': String(content.length), 'upload-metadata': metadata.join(',') };
    const created = await this.#ask('POST', headers);
    this.#path = new URL(created.headers.get('location') ?? '', this.#url()).pathname;
    this.#id = this.#path.slice(this.#path.lastIndexOf('/') + 1);
  }

  async send(index: number): Promise<void> {
    await this.#patch((index + 1) * this.#partBytes);
  }

  async finish(): Promise<void> {
    const { length } = this.#file.content;
    if (this.#offset < length) await this.#patch(length);
    const answer = await this.#ask('HEAD');
    if (answer.headers.get('x-natter-file-state') !== 'ready')
      throw new Error('an upload that has all its bytes is not finished');
  }

  cut(): void {
    this.#connection.abort();
    this.#connection = new AbortController();
  }

  async comeBack(gateway: number): Promise<Arrived> {
    this.cut();
    this.#gateway = gateway;
    const { headers } = await this.#ask('HEAD');
    this.#offset = Number(headers.get('upload-offset'));
    if (headers.has('x-natter-file-state')) return { finished: true };
    const all = [...this.parts, this.parts.length];
    return { finished: false, missing: all.filter((index) => (index + 1) * this.#partBytes > this.#offset) };
  }

  /** Sends from where it stands up to `end`. */
  async #patch(end: number): Promise<void> {
    // One that was cut must not go on over the next connection.
    const { signal } = this.#connection;
    for (const until = performance.now() + ANSWER_MS; ; ) {
      const headers = {
        'content-type': 'application/offset+octet-stream',
        'upload-offset': String(this.#offset),
      };
      const body = Buffer.from(this.#file.content.subarray(this.#offset, end));
      const answer = await this.#ask('PATCH', headers, { body, expected: [409, 503], signal });
      const at = answer.ok ? answer : await this.#ask('HEAD', {}, { signal });
      this.#offset = Number(at.headers.get('upload-offset'));
      if (this.#offset >= Math.min(end, this.#file.content.length)) return;
      if (performance.now() > until) throw new Error(`PATCH was answered with ${answer.status}`);
    }
  }

  #url(): string {
    return `${this.#stack.httpUrl(this.#gateway)}${this.#path}`;
  }

  /** Asks until the answer is no longer that nobody can answer now. */
  async #ask(
    method: string,
    more: Record<string, string> = {},
    { body, expected = [], signal = this.#connection.signal }: Asking = {},
  ): Promise<Response> {
    for (const until = performance.now() + ANSWER_MS; ; ) {
      const request = { method, headers: { ...this.#headers, ...more }, signal };
      const answer = await fetch(this.#url(), body === undefined ? request : { ...request, body });
      const text = await answer.text();
      if (answer.ok || expected.includes(answer.status)) return answer;
      if (answer.status !== 503 || performance.now() > until)
        throw new Error(`${method} was answered with ${answer.status} ${text.slice(0, 300)}`);
      await sleep(AGAIN_MS);
    }
  }
}
