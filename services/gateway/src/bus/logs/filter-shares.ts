/** Different filters that one user reads by on this gateway: each is a feed, of which there are few. */

/** Of 256: so it takes eight users to have them all, and nobody follows more services at once. */
const FILTERS_PER_USER = 32;

/** Holds no more than there are readers. */
export class FilterShares {
  /** By user: how many read by which filter. */
  readonly #users = new Map<string, Map<string, number>>();

  /** Whether `take` would give this user a place. */
  hasRoom(sub: string, filter: string): boolean {
    const filters = this.#users.get(sub);
    return filters === undefined || filters.has(filter) || filters.size < FILTERS_PER_USER;
  }

  /** Null where the user has as many as there may be; else call the result once, when the reader ends. */
  take(sub: string, filter: string): (() => void) | null {
    if (!this.hasRoom(sub, filter)) return null;
    const filters = this.#users.get(sub) ?? new Map<string, number>();
    this.#users.set(sub, filters);
    filters.set(filter, (filters.get(filter) ?? 0) + 1);
    return () => this.#release(sub, filters, filter);
  }

  #release(sub: string, filters: Map<string, number>, filter: string): void {
    const left = (filters.get(filter) ?? 0) - 1;
    if (left > 0) filters.set(filter, left);
    else filters.delete(filter);
    if (filters.size === 0) this.#users.delete(sub);
  }
}
