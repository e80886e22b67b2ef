/** How many connections there are: in all, and from one address. */
import { Counted } from '../session/counted.ts';

/** WebSockets and event streams count alike: each holds a socket for long. */
export class Admission {
  #limit: number;
  readonly #addresses: Counted;
  #size = 0;

  constructor(limits: { maxConnections: number; maxConnectionsPerAddress: number }) {
    this.#limit = limits.maxConnections;
    this.#addresses = new Counted(limits.maxConnectionsPerAddress);
  }

  /** Those that were admitted and not yet released. */
  get size(): number {
    return this.#size;
  }

  /** From now on so many in all; those above it stay. */
  setLimit(maxConnections: number): void {
    this.#limit = maxConnections;
  }

  /** Counts one more; false when there are as many as may be. */
  admit(addressKey: string): boolean {
    if (this.#size >= this.#limit || !this.#addresses.add(addressKey)) return false;
    this.#size += 1;
    return true;
  }

  /** Call it once for each that was admitted. */
  release(addressKey: string): void {
    this.#size -= 1;
    this.#addresses.remove(addressKey);
  }
}
