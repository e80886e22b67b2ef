/** Asks the uploads service: parts of uploads, files and their bytes. */
import { packUpload, SUBJECTS, UploadsReply, type UploadsRequest, unpackUpload } from '@natter/proto';
import { type Bus, whileUnavailable } from '@natter/runtime';

/** A service that was killed says nothing: after this another one is asked. Storing a part takes less. */
const ATTEMPT_MS = 5_000;

/** What the service answered, and the bytes behind it: those of a `read`, else none. */
export type UploadsAnswer = UploadsReply & { bytes: Uint8Array };

export class UploadsClient {
  readonly #bus: Pick<Bus, 'request'>;
  readonly #timeoutMs: number;
  readonly #finalizeTimeoutMs: number;

  constructor(bus: Pick<Bus, 'request'>, timeoutMs: number, finalizeTimeoutMs: number) {
    this.#bus = bus;
    this.#timeoutMs = timeoutMs;
    this.#finalizeTimeoutMs = finalizeTimeoutMs;
  }

  /**
   * Throws BusError UNAVAILABLE when no uploads service answers within the time limit.
   *
   * `part` may be reused by the caller as soon as this has returned its promise.
   */
  async ask(request: UploadsRequest, part?: Uint8Array): Promise<UploadsAnswer> {
    const packed = packUpload(request, part);
    const attempt = (remainingMs: number) =>
      this.#bus.request(SUBJECTS.uploads, packed, Math.max(50, remainingMs));
    return answerOf(await this.#repeat(request.op, attempt));
  }

  #repeat(
    op: UploadsRequest['op'],
    attempt: (remainingMs: number) => Promise<Uint8Array>,
  ): Promise<Uint8Array> {
    // A repeat would begin a second upload, and the first one counts against the quota until it expires.
    if (op === 'init') return attempt(this.#timeoutMs);
    if (op === 'finalize') return whileUnavailable(this.#finalizeTimeoutMs, attempt);
    return whileUnavailable(this.#timeoutMs, (remainingMs) => attempt(Math.min(remainingMs, ATTEMPT_MS)));
  }
}

function answerOf(packed: Uint8Array): UploadsAnswer {
  const unpacked = unpackUpload(packed);
  if (unpacked === null) throw new Error('the uploads service answered something that is no answer');
  return { ...UploadsReply.parse(unpacked.json), bytes: unpacked.bytes };
}
