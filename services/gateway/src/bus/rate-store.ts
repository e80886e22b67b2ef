/**
 * Rate limits over all gateways: the broker keeps a message for each request of the window, and
 * refuses those above the limit. So the window slides exactly, wherever the requests came in.
 */
import { createHash } from 'node:crypto';
import { encodeToken, STREAMS, SUBJECTS } from '@natter/proto';
import { type Bus, isBusError } from '@natter/runtime';

export type RateKind = 'user' | 'session';

const STREAM_OF = { user: STREAMS.userRates, session: STREAMS.sessionRates } as const;

/** Longer tokens are hashed: 64 hex digits name a session as well, and cost the broker less. */
const PLAIN_TOKEN_CHARS = 128;
/** A broker that says nothing for so long is taken to be away. */
const TAKE_MS = 1_000;

export class RateStore {
  readonly #bus: Pick<Bus, 'append' | 'stored'>;
  readonly #windowMs: number;
  readonly #now: () => number;

  /** `windowSeconds`: the max_age of the streams, see runtime's topology. */
  constructor(bus: Pick<Bus, 'append' | 'stored'>, windowSeconds: number, now: () => number) {
    this.#bus = bus;
    this.#windowMs = windowSeconds * 1_000;
    this.#now = now;
  }

  /**
   * Counts one request: 0 when it is allowed, else the seconds to wait. Refused ones don't count.
   *
   * Without a broker it allows: its counts are gone when it comes back, the gateway's own limit
   * holds meanwhile, and what is asked can't be stored either. Throws BusError REFUSED when the
   * broker can't count any more requests of anybody.
   */
  async take(kind: RateKind, id: string): Promise<number> {
    const subject = kind === 'user' ? SUBJECTS.userRate(id) : SUBJECTS.sessionRate(sessionToken(id));
    try {
      await this.#bus.append(subject, '', { timeoutMs: TAKE_MS });
      return 0;
    } catch (error) {
      if (isBusError(error, 'UNAVAILABLE')) return 0;
      if (!isBusError(error, 'SUBJECT_FULL')) throw error;
      return this.#wait(STREAM_OF[kind], subject);
    }
  }

  /** Seconds until the oldest request of the window has left it. */
  async #wait(stream: string, subject: string): Promise<number> {
    const [oldest] = await this.#bus.stored.from(stream, subject, 1, 1);
    // It may have left meanwhile.
    if (oldest === undefined) return 1;
    const seconds = Math.ceil((oldest.timeMs + this.#windowMs - this.#now()) / 1_000);
    // The broker's clock is not this one.
    return Math.min(Math.max(1, seconds), Math.ceil(this.#windowMs / 1_000));
  }
}

/** `=` comes out of no `encodeToken`, so a hash is never another session's id. */
function sessionToken(id: string): string {
  const token = encodeToken(id);
  if (token !== '' && token.length <= PLAIN_TOKEN_CHARS) return token;
  return `=${createHash('sha256').update(id).digest('hex')}`;
}
