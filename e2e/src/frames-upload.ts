/** An upload over rooms-v1 that goes on after breaks, in base64 or binary frames. */
import type { Frame, Probe, Stack } from '@natter/testkit';
import { ANSWER_MS } from './chat.ts';
import type { Arrived, ResumingUpload } from './resuming-upload.ts';
import { openRooms } from './rooms-chat.ts';
import {
  answerTo,
  askUpload,
  type FileToUpload,
  finalizeUpload,
  initUpload,
  partsOf,
  sendPart,
  sha256Of,
} from './uploading-client.ts';

/** After these the same is to be sent again. */
const AGAIN = ['UNAVAILABLE', 'UPLOAD_BUSY', 'RATE_LIMIT'];

export class FramesUpload implements ResumingUpload {
  readonly parts: readonly number[];
  readonly #stack: Pick<Stack, 'url'>;
  readonly #token: string;
  readonly #file: FileToUpload;
  readonly #bytes: Uint8Array[];
  #probe: Probe | null = null;
  #id = '';

  constructor(stack: Pick<Stack, 'url'>, token: string, file: FileToUpload) {
    this.#stack = stack;
    this.#token = token;
    this.#file = file;
    this.#bytes = partsOf(file.content, file.partBytes);
    this.parts = [...this.#bytes.keys()];
  }

  get id(): string {
    return this.#id;
  }

  /** The connection that is open now. */
  get probe(): Probe {
    if (this.#probe === null) throw new Error('the upload has no connection');
    return this.#probe;
  }

  subjectOf(index: number): string {
    return `chunk.${this.#id}.${index}-${this.#bytes[index]?.length}`;
  }

  async begin(gateway: number): Promise<void> {
    await this.#open(gateway);
    const { data } = await answered((probe) => initUpload(probe, this.#file), this.probe);
    this.#id = data.file_id;
  }

  async send(index: number): Promise<void> {
    await answered((probe) => {
      this.put(index, probe);
      return answerTo(probe, 'chunk', this.#id);
    }, this.probe);
  }

  /** Sends a part and waits for nothing. */
  put(index: number, probe = this.probe): void {
    const total = this.#file.base64 ? this.parts.length : 'binary';
    sendPart(probe, this.#id, index, this.#bytes[index] as Uint8Array, total);
  }

  async finish(): Promise<void> {
    const checksum = sha256Of(this.#file.content);
    await answered((probe) => finalizeUpload(probe, this.#id, checksum), this.probe);
  }

  cut(): void {
    this.#probe?.socket.terminate();
    this.#probe = null;
  }

  async comeBack(gateway: number): Promise<Arrived> {
    await this.#open(gateway);
    const { data } = await answered((probe) => askUpload(probe, 'status', this.#id), this.probe);
    if (data.upload_type === 'finalize') return { finished: true };
    return { finished: false, missing: this.parts.filter((index) => !data.received.includes(index)) };
  }

  async #open(gateway: number): Promise<void> {
    this.cut();
    for (const until = performance.now() + ANSWER_MS; this.#probe === null; ) {
      try {
        this.#probe = await openRooms(this.#stack.url(gateway), this.#token);
      } catch (error) {
        // 1013: nobody could look at the token just now.
        if (!String(error).includes('Closed with 1013') || performance.now() > until) throw error;
      }
    }
  }
}

/** Asks until the answer is no longer that it may be tried again. */
async function answered(ask: (probe: Probe) => Promise<Frame>, probe: Probe): Promise<Frame> {
  for (const until = performance.now() + ANSWER_MS; ; ) {
    const answer = await ask(probe);
    if (answer.type === 'file_upload') return answer;
    if (!AGAIN.includes(answer.data.code) || performance.now() > until)
      throw new Error(`the upload was refused: ${JSON.stringify(answer.data)}`);
  }
}
