/** Asks the uploads service about uploads, files and their bytes, and stores parts for it. */
import { packUpload, SUBJECTS, UploadsReply, type UploadsRequest, unpackUpload } from '@natter/proto';
import { type Bus, BusError, whileUnavailable } from '@natter/runtime';
import { type PartOf, UploadParts } from './upload-parts.ts';

/** A service that was killed says nothing: after this another one is asked. */
const ATTEMPT_MS = 5_000;
/** What the service answered, and the bytes behind it: those of a `read`, else none. */
export type UploadsAnswer = UploadsReply & { bytes: Uint8Array };

export interface UploadsClientOptions {
  timeoutMs: number;
  finalizeTimeoutMs: number;
  now: () => number;
  /** What is done beside requests failed; it is tried again. */
  onFailure(error: unknown): void;
}

export class UploadsClient {
  readonly #bus: Pick<Bus, 'request'>;
  readonly #options: UploadsClientOptions;
  readonly #parts: UploadParts;

  constructor(
    bus: Pick<Bus, 'request'> & { bulk: Pick<Bus['bulk'], 'append'> },
    options: UploadsClientOptions,
  ) {
    this.#bus = bus;
    this.#options = options;
    const { timeoutMs: storeTimeoutMs, now, onFailure } = options;
    this.#parts = new UploadParts({
      bus,
      storeTimeoutMs,
      now,
      onFailure,
      ask: (request) => this.#ask(request),
    });
  }

  /** Throws BusError UNAVAILABLE when no uploads service answers within the time limit. */
  async ask(request: UploadsRequest): Promise<UploadsAnswer> {
    if (request.op === 'finalize' || request.op === 'cancel')
      return this.#parts.whileEnding(request.sub, request.id, () => this.#ask(request));
    const answer = await this.#ask(request);
    if (request.op === 'init' || request.op === 'status') this.#parts.know(request.sub, answer);
    return answer;
  }

  /** Stores one part of an upload (upload-parts.ts); it is copied before this returns its promise. */
  put(of: PartOf, bytes: Uint8Array): Promise<UploadsAnswer> {
    return this.#parts.put(of, bytes);
  }

  /** Resolves when the uploads service has heard of all parts. */
  settled(): Promise<void> {
    return this.#parts.settled();
  }

  async #ask(request: UploadsRequest): Promise<UploadsAnswer> {
    const packed = packUpload(request);
    const attempt = async (remainingMs: number) =>
      answerOf(await this.#bus.request(SUBJECTS.uploads, packed, Math.max(50, remainingMs)));
    // A repeat would begin a second upload, and the first one counts against the quota until it expires.
    if (request.op === 'init') return attempt(this.#options.timeoutMs);
    const [timeoutMs, attemptMs] =
      request.op === 'finalize'
        ? [this.#options.finalizeTimeoutMs, this.#options.finalizeTimeoutMs]
        : [this.#options.timeoutMs, ATTEMPT_MS];
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
