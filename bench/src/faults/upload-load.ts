/** People who upload small files in parts, and what of it was acknowledged to them. */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type Frame, type Probe, type Stack } from '@natter/testkit';
import type { Xorshift } from '../fuzz/xorshift.ts';
import type { StoredTranscript } from './stored-transcript.ts';

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
const ANSWER_MS = 60_000;
const AGAIN_MS = 50;
/** After these the same may be sent again. */
const AGAIN: ReadonlySet<string> = new Set(['UNAVAILABLE', 'UPLOAD_BUSY', 'RATE_LIMIT', 'INTERNAL']);

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
    const lanes: Promise<void>[] = [];
    for (let person = 0; person < people; person += 1) {
      const token = await stack.token({ sub: `${room}-uploader-${person}` });
      const query = new URLSearchParams({ token, room_id: room });
      const probe = await connect(`${stack.url()}/api/v1/ws/ws?${query}`);
      await probe.nextOfType('join_room', ANSWER_MS);
      lanes.push(this.#lane(probe, token).finally(() => probe.socket.terminate()));
    }
    this.#uploading = Promise.all(lanes);
    // Awaited by `end`; until then a failure waits there.
    this.#uploading.catch(() => undefined);
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
      const response = await fetch(`${this.#options.stack.httpUrl()}/api/v1/files/${id}`, {
        headers: { authorization: `Bearer ${token}` },
      });
      const found = sha256Of(Buffer.from(await response.arrayBuffer()));
      if (found !== sha256) lost.push(`file ${id} is not what was uploaded: ${response.status}`);
      const shared = files.filter((file) => file === id).length;
      if (shared !== 1) lost.push(`file ${id} was shared ${shared} times`);
    }
    return lost;
  }

  async #lane(probe: Probe, token: string): Promise<void> {
    while (this.#running) {
      const content = Buffer.alloc(
        PARTS * PART_BYTES - this.#options.random.below(PART_BYTES),
        randomLine(this.#options.random),
      );
      const sha256 = sha256Of(content);
      const id = await this.#upload(probe, content, sha256);
      this.#finished.push({ id, sha256, token });
    }
  }

  async #upload(probe: Probe, content: Buffer, checksum: string): Promise<string> {
    const about = { file_name: 'notes.txt', file_size: content.length, mime_type: 'text/plain' };
    const begun = await ask(probe, { upload_type: 'init', ...about });
    const file_id = String(begun.data.file_id);
    const had = new Set<number>();
    for (let index = 0; index < PARTS; index += 1) {
      const data = content.subarray(index * PART_BYTES, (index + 1) * PART_BYTES).toString('base64');
      const part = { chunk_index: index, total_chunks: PARTS, chunk_data: data };
      await ask(probe, { upload_type: 'chunk', file_id, ...part }, () => this.#compare(probe, file_id, had));
      had.add(index);
      this.#count();
    }
    const end = await ask(probe, { upload_type: 'finalize', file_id, checksum }, () =>
      this.#compare(probe, file_id, had),
    );
    if (end.data.status !== 'ready') this.lost.push(`file ${file_id} is ${end.data.status}`);
    this.#count();
    return file_id;
  }

  #count(): void {
    this.acknowledged += 1;
    this.#options.acknowledged();
  }

  /** After a failure, as a client that comes back does: what was acknowledged must be there. */
  async #compare(probe: Probe, file_id: string, had: ReadonlySet<number>): Promise<void> {
    const { data } = await ask(probe, { upload_type: 'status', file_id });
    // A finished file has all of its parts.
    if (data.upload_type === 'finalize' || data.status === 'ready') return;
    const received = new Set<number>(data.received);
    for (const index of had)
      if (!received.has(index)) this.lost.push(`part ${index} of ${file_id} was acknowledged and is gone`);
  }
}

/** Asks until the answer is no longer that it may be tried again; `between` two tries. */
async function ask(probe: Probe, data: Frame, between?: () => Promise<void>): Promise<Frame> {
  for (const until = performance.now() + ANSWER_MS; ; ) {
    probe.send({ type: 'file_upload', data });
    const answer = await probe.next((frame) => isAnswer(frame, data), ANSWER_MS);
    if (answer.type === 'file_upload') return answer;
    if (!AGAIN.has(answer.data.code) || performance.now() > until)
      throw new Error(`an upload was refused: ${JSON.stringify(answer.data)}`);
    await sleep(AGAIN_MS);
    await between?.();
  }
}

/** Each person has one command under way, so what is about its file is its answer. */
function isAnswer({ type, data }: Frame, { upload_type, file_id, chunk_index }: Frame): boolean {
  if (type === 'error') return data.code !== undefined && (file_id === undefined || data.file_id === file_id);
  if (type !== 'file_upload' || data.user_id !== undefined) return false;
  if (upload_type === 'init') return data.upload_type === 'init';
  if (data.file_id !== file_id) return false;
  if (upload_type === 'chunk') return data.upload_type === 'chunk' && data.chunk_index === chunk_index;
  return data.upload_type === upload_type || (upload_type === 'status' && data.upload_type === 'finalize');
}

function randomLine(random: Xorshift): string {
  return `line ${random.next().toString(36)} of a file that somebody uploads while services are killed\n`;
}

function sha256Of(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
