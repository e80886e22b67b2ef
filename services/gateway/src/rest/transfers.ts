/** Bodies of one user that are under way on this gateway: each holds a part of a file in memory. */

interface User {
  busy: number;
  /** In the order they came; each is called when it is their turn. */
  readonly waiting: Set<() => void>;
}

/** Holds no more users than there are bodies under way or waiting. */
export class Transfers {
  readonly #most: number;
  readonly #users = new Map<string, User>();

  /** `most`: of one user. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Null when the user has all they may have; else call the result once, when it is over. */
  begin(sub: string): (() => void) | null {
    const user = this.#users.get(sub) ?? { busy: 0, waiting: new Set() };
    if (user.busy >= this.#most) return null;
    user.busy += 1;
    this.#users.set(sub, user);
    return () => this.#end(sub, user);
  }

  /** As `begin`, when it is their turn; null when the client has gone before. */
  async wait(sub: string, signal: AbortSignal): Promise<(() => void) | null> {
    const end = this.begin(sub);
    const user = this.#users.get(sub);
    if (end !== null || user === undefined) return end;
    if (signal.aborted) return null;
    const { promise, resolve } = Promise.withResolvers<(() => void) | null>();
    const turn = () => {
      signal.removeEventListener('abort', gone);
      resolve(() => this.#end(sub, user));
    };
    const gone = () => {
      user.waiting.delete(turn);
      resolve(null);
    };
    user.waiting.add(turn);
    signal.addEventListener('abort', gone, { once: true });
    return promise;
  }

  #end(sub: string, user: User): void {
    const [next] = user.waiting;
    if (next !== undefined) {
      // The place goes to the next in line, so that nobody gets in between.
      user.waiting.delete(next);
      return next();
    }
    user.busy -= 1;
    if (user.busy === 0) this.#users.delete(sub);
  }
}
