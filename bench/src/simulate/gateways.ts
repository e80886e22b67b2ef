/** The gateways of a simulated fleet: who is there, who has how many connections, how busy they are. */
import type { Parameters } from './parameters.ts';
import type { Random } from './random.ts';
import { Server } from './server.ts';

export const STATE = { up: 0, draining: 1, down: 2 } as const;

export class Gateways {
  readonly count: number;
  readonly servers: Server[];
  /** Counts the lives of each: what belongs to an earlier one is gone. */
  readonly lives: Int32Array;
  readonly connections: Float64Array;
  /** Tries under way. */
  readonly pending: Float64Array;
  readonly #states: Uint8Array;
  readonly #parameters: Parameters;
  readonly #random: Random;
  /** Those that take connections, in no order. */
  #up: number[] = [];

  /** `background`: share of their cores that other work takes. */
  constructor(parameters: Parameters, background: number, random: Random) {
    const { gateways, gatewayCores, coreSpeed } = parameters;
    this.count = gateways;
    this.servers = Array.from(
      { length: gateways },
      () => new Server(gatewayCores * coreSpeed * (1 - background)),
    );
    this.lives = new Int32Array(gateways);
    this.connections = new Float64Array(gateways);
    this.pending = new Float64Array(gateways);
    this.#states = new Uint8Array(gateways);
    this.#parameters = parameters;
    this.#random = random;
    this.#listUp();
  }

  /** The one the balancer sends the next try to; null when none is up. */
  choose(): number | null {
    if (this.#up.length === 0) return null;
    const one = this.#up[this.#random.below(this.#up.length)] as number;
    if (this.#parameters.leastConnections === 0) return one;
    const other = this.#up[this.#random.below(this.#up.length)] as number;
    return this.#load(other) < this.#load(one) ? other : one;
  }

  admits(gateway: number, weight: number): boolean {
    const { connectionLimit, pendingLimit } = this.#parameters;
    const pending = this.pending[gateway] as number;
    if (pendingLimit > 0 && pending + weight > pendingLimit) return false;
    return (this.connections[gateway] as number) + pending + weight <= connectionLimit;
  }

  stopTaking(gateway: number): void {
    this.#states[gateway] = STATE.draining;
    this.#listUp();
  }

  /** All it holds and does is gone. */
  kill(gateway: number, nowMs: number): void {
    this.#states[gateway] = STATE.down;
    this.lives[gateway] = (this.lives[gateway] as number) + 1;
    this.connections[gateway] = 0;
    this.pending[gateway] = 0;
    (this.servers[gateway] as Server).reset(nowMs);
    this.#listUp();
  }

  start(gateway: number): void {
    this.#states[gateway] = STATE.up;
    this.#listUp();
  }

  #load(gateway: number): number {
    return (this.connections[gateway] as number) + (this.pending[gateway] as number);
  }

  #listUp(): void {
    this.#up = Array.from({ length: this.count }, (_, gateway) => gateway).filter(
      (gateway) => this.#states[gateway] === STATE.up,
    );
  }
}
