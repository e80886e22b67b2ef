/** The simulated clients, as columns: millions of objects would not fit. */

export const CLIENT = { connected: 0, away: 1, trying: 2 } as const;

export class Clients {
  readonly count: number;
  /** Connections each of them stands for. */
  readonly weight: number;
  readonly state: Uint8Array;
  readonly gateway: Int32Array;
  /** Of the gateway when it was chosen. */
  readonly life: Int32Array;
  readonly failures: Int32Array;
  /** When its connection went away. */
  readonly lostAt: Float64Array;
  /** When it gives the present try up. */
  readonly deadline: Float64Array;
  readonly #aways: number[] = [];

  /**
   * Stands for `each` connections on every one of these gateways.
   *
   * Above `most` in all a client stands for several, whose work comes at once: the queues are as
   * long as they would be, but for the work of one such group.
   */
  constructor(gateways: readonly number[], each: number, most: number) {
    this.weight = Math.max(1, Math.ceil((gateways.length * each) / most));
    const perGateway = Math.round(each / this.weight);
    this.count = gateways.length * perGateway;
    this.state = new Uint8Array(this.count);
    this.gateway = new Int32Array(this.count);
    this.life = new Int32Array(this.count);
    this.failures = new Int32Array(this.count);
    this.lostAt = new Float64Array(this.count);
    this.deadline = new Float64Array(this.count);
    for (let client = 0; client < this.count; client += 1)
      this.gateway[client] = gateways[Math.floor(client / perGateway)] as number;
  }

  /** Those that are connected to this gateway. */
  on(gateway: number): number[] {
    const found: number[] = [];
    for (let client = 0; client < this.count; client += 1)
      if (this.gateway[client] === gateway && this.state[client] === CLIENT.connected) found.push(client);
    return found;
  }

  leave(client: number, nowMs: number): void {
    this.state[client] = CLIENT.away;
    this.failures[client] = 0;
    this.lostAt[client] = nowMs;
  }

  /** It is back, on the gateway it tried. */
  arrive(client: number, nowMs: number): void {
    this.state[client] = CLIENT.connected;
    this.#aways.push(nowMs - (this.lostAt[client] as number));
  }

  /** How long those that are back were away, in ms, in ascending order. */
  aways(): Float64Array {
    return Float64Array.from(this.#aways).sort();
  }

  /** Connections that are away. */
  get missing(): number {
    return this.state.reduce((sum, state) => sum + (state === CLIENT.connected ? 0 : this.weight), 0);
  }
}
