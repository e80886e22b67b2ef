/** Asks the uploads service: parts of uploads, files and their bytes. */
import { packUpload, SUBJECTS, UploadsReply, type UploadsRequest, unpackUpload } from '@natter/proto';
import { type Bus, BusError, whileUnavailable } from '@natter/runtime';

/** A service that was killed says nothing: after this another one is asked. Storing a part takes less. */
const ATTEMPT_MS = 5_000;
/** Parts on their way, of all users: while nobody stores them, each connection may hold 8 MiB here. */
const PARTS_BYTES = 256 * 1024 * 1024;

const NO_PART = new Uint8Array();

/** What the service answered, and the bytes behind it: those of a `read`, else none. */
export type UploadsAnswer = UploadsReply & { bytes: Uint8Array };

export class UploadsClient {
  readonly #bus: Pick<Bus, 'request'>;
  readonly #timeoutMs: number;
  readonly #finalizeTimeoutMs: number;
  #partsBytes = 0;

  constructor(bus: Pick<Bus, 'request'>, timeoutMs: number, finalizeTimeoutMs: number) {
    this.#bus = bus;
    this.#timeoutMs = timeoutMs;
    this.#finalizeTimeoutMs = finalizeTimeoutMs;
  }

  /**
   * Throws BusError UNAVAILABLE when no uploads service answers within the time limit, and at once
   * where 256 MiB of parts are on their way.
   *
   * `part` may be reused by the caller as soon as this has returned its promise.
   */
  async ask(request: UploadsRequest, part: Uint8Array = NO_PART): Promise<UploadsAnswer> {
    const { byteLength } = part;
    if (byteLength > 0 && this.#partsBytes + byteLength > PARTS_BYTES)
      throw new BusError('UNAVAILABLE', 'too many parts of uploads are on their way');
    this.#partsBytes += byteLength;
    try {
      return await this.#ask(request, packUpload(request, part));
    } finally {
      this.#partsBytes -= byteLength;
    }
  }

  async #ask(request: UploadsRequest, packed: Uint8Array): Promise<UploadsAnswer> {
    const attempt = async (remainingMs: number) =>
      answerOf(await this.#bus.request(SUBJECTS.uploads, packed, Math.max(50, remainingMs)));
    // A repeat would begin a second upload, and the first one counts against the quota until it expires.
    if (request.op === 'init') return attempt(this.#timeoutMs);
    const [timeoutMs, attemptMs] =
      request.op === 'finalize'
        ? [this.#finalizeTimeoutMs, this.#finalizeTimeoutMs]
        : [this.#timeoutMs, ATTEMPT_MS];
    return whileUnavailable(timeoutMs, async (remainingMs) => {
      const answer = await attempt(Math.min(remainingMs, attemptMs));
      // It has all it can do, or the broker is away: another one, or the same one soon.
      if (!answer.ok && answer.code === 'UNAVAILABLE')
        throw new BusError('UNAVAILABLE', `the uploads service is unavailable (${answer.correlationId})`);
      return answer;
    });
  }
}

function answerOf(packed: Uint8Array): UploadsAnswer {
  const unpacked = unpackUpload(packed);
  if (unpacked === null) throw new Error('the uploads service answered something that is no answer');
  return { ...UploadsReply.parse(unpacked.json), bytes: unpacked.bytes };
}
