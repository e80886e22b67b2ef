/** Somebody who uploads over rooms-v1, comes back when cut off, and asks again what had no answer. */
import { connect, type Frame, type Probe, type Stack } from '@natter/testkit';
import { tryAgain } from './try-again.ts';

const ANSWER_MS = 30_000;
/** After these the same may be sent again. */
const AGAIN: ReadonlySet<string> = new Set([
  'UNAVAILABLE',
  'UPLOAD_BUSY',
  'RATE_LIMIT',
  'INTERNAL',
  'AUTH_REQUIRED',
]);

class NotNow extends Error {}

export class UploadingPerson {
  readonly #stack: Stack;
  readonly #path: string;
  #probe: Probe | null = null;

  constructor(stack: Stack, room: string, token: string) {
    this.#stack = stack;
    this.#path = `/api/v1/ws/ws?${new URLSearchParams({ token, room_id: room })}`;
  }

  /** The answer, however often it takes; `between` two tries. Throws what can't be tried again. */
  async ask(data: Frame, between: () => Promise<void> = async () => undefined): Promise<Frame> {
    const answer = await tryAgain(async (tries) => {
      const probe = await this.#open(tries);
      if (tries > 0) await between();
      probe.send({ type: 'file_upload', data });
      const one = await probe.next((frame) => isAnswer(frame, data), ANSWER_MS);
      if (one.type === 'error' && AGAIN.has(one.data.code)) throw new NotNow(one.data.code);
      return one;
    });
    if (answer.type === 'error') throw new Error(`an upload was refused: ${JSON.stringify(answer.data)}`);
    return answer;
  }

  close(): void {
    this.#probe?.socket.terminate();
  }

  /** Another gateway at each try. */
  async #open(tries: number): Promise<Probe> {
    if (this.#probe !== null && this.#probe.closedWith === null) return this.#probe;
    const probe = await connect(this.#stack.url(tries % this.#stack.gateways.length) + this.#path);
    await probe.nextOfType('join_room', ANSWER_MS);
    this.#probe = probe;
    return probe;
  }
}

/** Each person has one command under way, so what is about its file is its answer. */
function isAnswer({ type, data }: Frame, { upload_type, file_id, chunk_index }: Frame): boolean {
  // One that has an id ends somebody's answer.
  if (type === 'error') return data.id === undefined && (file_id === undefined || data.file_id === file_id);
  if (type !== 'file_upload' || data.user_id !== undefined) return false;
  if (upload_type === 'init') return data.upload_type === 'init';
  if (data.file_id !== file_id) return false;
  if (upload_type === 'chunk') return data.upload_type === 'chunk' && data.chunk_index === chunk_index;
  return data.upload_type === upload_type || (upload_type === 'status' && data.upload_type === 'finalize');
}
