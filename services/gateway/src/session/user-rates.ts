/** Rate limits by user: questions over all connections of this gateway, and over HTTP. */
import { RateLimit } from './rate-limit.ts';

/** Users remembered; the one not heard from for longest is forgotten first. About 200 bytes each. */
const USERS_LIMIT = 20_000;

export class UserRates {
  readonly #requests: number;
  readonly #windowSeconds: number;
  readonly #now: () => number;
  readonly #users = new Map<string, RateLimit>();

  constructor(requests: number, windowSeconds: number, now: () => number) {
    this.#requests = requests;
    this.#windowSeconds = windowSeconds;
    this.#now = now;
  }

  /** 0 when the request is allowed, else the seconds to wait. */
  take(sub: string): number {
    const rate = this.#users.get(sub) ?? new RateLimit(this.#requests, this.#windowSeconds);
    this.#users.delete(sub);
    this.#users.set(sub, rate);
    if (this.#users.size > USERS_LIMIT) this.#users.delete(this.#users.keys().next().value ?? '');
    return rate.take(this.#now());
  }
}
