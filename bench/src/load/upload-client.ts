/** Uploads files over one rooms-v1 connection, or to the peer that takes the same frames. */
import { inFlight } from './in-flight.ts';
import type { PartFrames } from './part-frames.ts';
import { RawSocket, type Target } from './raw-socket.ts';

export interface FileToUpload {
  name: string;
  size: number;
  type: string;
  /** In hex. */
  sha256: string;
}

/** Six parts of 1 MiB: a gateway takes 8 MiB of a connection at once. */
const PARTS_AT_ONCE = 6;
/** On a machine that does other things too. */
const ANSWER_MS = 60_000;

interface Answer {
  type: string;
  data: { upload_type?: string; file_id?: string; chunk_index?: number; status?: string };
}

export class UploadClient {
  readonly #socket: RawSocket;
  /** Who waits for an answer, by `init`, `finalize` or the index of a part. */
  readonly #waiting = new Map<string | number, { done(answer: Answer): void; fail(why: Error): void }>();
  #failure: Error | null = null;

  /** Resolves when the upgrade was accepted. */
  static open(target: Target): Promise<UploadClient> {
    return new Promise((resolve, reject) => {
      const client = new UploadClient(target, () => resolve(client), reject);
    });
  }

  private constructor(target: Target, onOpen: () => void, onRefused: (why: Error) => void) {
    this.#socket = new RawSocket({
      ...target,
      onOpen,
      onText: (payload) => this.#hear(payload),
      onLost: (why) => {
        this.#fail(`the connection failed: ${why}`);
        onRefused(this.#failure as Error);
      },
    });
  }

  /** Resolves with the file's id when the server has all of it, and has judged it. */
  async upload(file: FileToUpload, parts: PartFrames): Promise<string> {
    const { name: file_name, size: file_size, type: mime_type, sha256: checksum } = file;
    const { data } = await this.#ask('init', { file_name, file_size, mime_type });
    const id = data.file_id;
    if (id === undefined) throw new Error('init was answered without an id');
    await inFlight(parts.count, PARTS_AT_ONCE, async (index) => {
      const answer = this.#answerTo(index);
      this.#socket.sendFrame(parts.frame(index, id));
      await answer;
    });
    const end = await this.#ask('finalize', { file_id: id, checksum });
    if (end.data.status !== 'ready') throw new Error(`the file is ${end.data.status}`);
    return id;
  }

  drop(): void {
    this.#socket.drop();
  }

  #ask(upload_type: string, fields: object): Promise<Answer> {
    const answer = this.#answerTo(upload_type);
    this.#socket.send(JSON.stringify({ type: 'file_upload', data: { upload_type, ...fields } }));
    return answer;
  }

  #answerTo(what: string | number): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== null) return reject(this.#failure);
      const timer = setTimeout(() => this.#fail(`no answer to ${what}`), ANSWER_MS);
      const settle = (done: () => void) => {
        clearTimeout(timer);
        this.#waiting.delete(what);
        done();
      };
      this.#waiting.set(what, {
        done: (answer) => settle(() => resolve(answer)),
        fail: (why) => settle(() => reject(why)),
      });
    });
  }

  #hear(payload: Buffer): void {
    const answer = JSON.parse(payload.toString()) as Answer;
    if (answer.type === 'error') return this.#fail(payload.toString());
    if (answer.type !== 'file_upload') return;
    const { upload_type = '', chunk_index } = answer.data;
    this.#waiting.get(upload_type === 'chunk' ? (chunk_index ?? '') : upload_type)?.done(answer);
  }

  #fail(why: string): void {
    this.#failure ??= new Error(`an upload failed: ${why}`);
    for (const { fail } of this.#waiting.values()) fail(this.#failure);
  }
}
