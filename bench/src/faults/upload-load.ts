/** People who upload small files in parts, and what of it was acknowledged to them. */
import { createHash } from 'node:crypto';
import type { Stack } from '@natter/testkit';
import type { Xorshift } from '../fuzz/xorshift.ts';
import type { StoredTranscript } from './stored-transcript.ts';
import { tryAgain } from './try-again.ts';
import { UploadingPerson } from './uploading-person.ts';

export interface UploadLoadOptions {
  stack: Stack;
  /** Files are shared in this room. */
  room: string;
  people: number;
  random: Xorshift;
  /** A part is on disk, or a file is whole, and its owner was told. */
  acknowledged(): void;
}

interface Finished {
  id: string;
  sha256: string;
  token: string;
}

const PARTS = 8;
const PART_BYTES = 2_048;

export class UploadLoad {
  /** Parts and files that were acknowledged. */
  acknowledged = 0;
  /** Acknowledged parts that an upload no longer had, and whatever else must not happen. */
  readonly lost: string[] = [];
  readonly #options: UploadLoadOptions;
  readonly #finished: Finished[] = [];
  #running = true;
  #uploading: Promise<unknown> = Promise.resolve();

  constructor(options: UploadLoadOptions) {
    this.#options = options;
  }

  async begin(): Promise<void> {
    const { stack, room, people } = this.#options;
    const subs = Array.from({ length: people }, (_, person) => `${room}-uploader-${person}`);
    const tokens = await Promise.all(subs.map((sub) => stack.token({ sub })));
    this.#uploading = Promise.all(tokens.map((token) => this.#lane(token)));
  }

  /** Waits until the uploads under way are finished. */
  async end(): Promise<void> {
    this.#running = false;
    await this.#uploading;
  }

  /** Reads each finished file; it must be whole, and shared exactly once. */
  async judge({ files }: StoredTranscript): Promise<string[]> {
    const lost = [...this.lost];
    for (const { id, sha256, token } of this.#finished) {
      const found = sha256Of(await this.#download(id, token));
      if (found !== sha256) lost.push(`file ${id} is not what was uploaded`);
      const shared = files.filter((file) => file === id).length;
      if (shared !== 1) lost.push(`file ${id} was shared ${shared} times`);
    }
    return lost;
  }

  async #download(id: string, token: string): Promise<Buffer> {
    const headers = { authorization: `Bearer ${token}` };
    const { stack } = this.#options;
    return tryAgain(async (tries) => {
      const url = stack.httpUrl(tries % stack.gateways.length);
      const response = await fetch(`${url}/api/v1/files/${id}`, { headers });
      if (response.status >= 500) throw new Error(`file ${id}: ${response.status}`);
      return Buffer.from(await response.arrayBuffer());
    });
  }

  /** Never rejects: an upload that can't go on is one of those that are lost. */
  async #lane(token: string): Promise<void> {
    const { stack, room, random } = this.#options;
    const person = new UploadingPerson(stack, room, token);
    try {
      while (this.#running) {
        const content = Buffer.alloc(PARTS * PART_BYTES - random.below(PART_BYTES), randomLine(random));
        const sha256 = sha256Of(content);
        const id = await this.#upload(person, content, sha256);
        this.#finished.push({ id, sha256, token });
      }
    } catch (error) {
      this.lost.push(String(error).slice(0, 500));
    } finally {
      person.close();
    }
  }

  async #upload(person: UploadingPerson, content: Buffer, checksum: string): Promise<string> {
    const about = { file_name: 'notes.txt', file_size: content.length, mime_type: 'text/plain' };
    const begun = await person.ask({ upload_type: 'init', ...about });
    const file_id = String(begun.data.file_id);
    const had = new Set<number>();
    const compare = () => this.#compare(person, file_id, had);
    for (let index = 0; index < PARTS; index += 1) {
      const data = content.subarray(index * PART_BYTES, (index + 1) * PART_BYTES).toString('base64');
      const part = { chunk_index: index, total_chunks: PARTS, chunk_data: data };
      await person.ask({ upload_type: 'chunk', file_id, ...part }, compare);
      had.add(index);
      this.#count();
    }
    const end = await person.ask({ upload_type: 'finalize', file_id, checksum }, compare);
    if (end.data.status !== 'ready') this.lost.push(`file ${file_id} is ${end.data.status}`);
    this.#count();
    return file_id;
  }

  #count(): void {
    this.acknowledged += 1;
    this.#options.acknowledged();
  }

  /** After a failure, as a client that comes back does: what was acknowledged must be there. */
  async #compare(person: UploadingPerson, file_id: string, had: ReadonlySet<number>): Promise<void> {
    const { data } = await person.ask({ upload_type: 'status', file_id });
    // A finished file has all of its parts.
    if (data.upload_type === 'finalize' || data.status === 'ready') return;
    const received = new Set<number>(data.received);
    for (const index of had)
      if (!received.has(index)) this.lost.push(`part ${index} of ${file_id} was acknowledged and is gone`);
  }
}

function randomLine(random: Xorshift): string {
  return `line ${random.next().toString(36)} of a file that somebody uploads while services are killed\n`;
}

function sha256Of(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
