/** Counts the frames of one connection: parts of uploads apart from all others. */
import type { SessionLimits } from './context.ts';
import { RateLimit } from './rate-limit.ts';

/** Commands that are no part of an upload are smaller, as a rule; those that aren't count twice. */
const SMALL_FRAME_BYTES = 8 * 1024;
/** A client that goes on after this many refusals in a row is not worth its frames. */
const REFUSALS_LIMIT = 200;

export class FrameRates {
  readonly #frames: RateLimit;
  readonly #limits: SessionLimits;
  /** Of most connections: none. */
  #large: RateLimit | null = null;
  #refusals = 0;

  constructor(limits: SessionLimits) {
    this.#frames = new RateLimit(limits.rateLimitRequests, limits.rateLimitWindowSeconds);
    this.#limits = limits;
  }

  /** Whether so many were refused in a row that the connection should go. */
  get isHopeless(): boolean {
    return this.#refusals > REFUSALS_LIMIT;
  }

  /** 0 when the frame is allowed, else the seconds to wait; so do the others. */
  take(nowMs: number): number {
    return this.#counted(this.#frames.take(nowMs), true);
  }

  /** Of a frame that may carry a part; if it turns out to be none, `take` counts it as well. */
  takeLarge(nowMs: number): number {
    const { uploadFramesPerWindow, rateLimitWindowSeconds } = this.#limits;
    this.#large ??= new RateLimit(uploadFramesPerWindow, rateLimitWindowSeconds);
    return this.#counted(this.#large.take(nowMs), false);
  }

  /** A part came: what was refused before it is forgiven. */
  tookPart(): void {
    this.#refusals = 0;
  }

  #counted(retryAfter: number, isWhole: boolean): number {
    if (retryAfter > 0) this.#refusals += 1;
    else if (isWhole) this.#refusals = 0;
    return retryAfter;
  }
}

/** Whether a frame is one that may carry a part of an upload. */
export function mayCarryPart(bytes: number, isBinary: boolean): boolean {
  return isBinary || bytes > SMALL_FRAME_BYTES;
}
