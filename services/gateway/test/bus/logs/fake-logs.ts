/** LOGS in memory: what is stored is republished a while later, unless the link is down or loses it. */
import { type LogLevel, SUBJECTS } from '@natter/proto';
import type { BusMessage, Stored, StreamState } from '@natter/runtime';
import type { LogHubDeps } from '../../../src/bus/logs/log-hub.ts';

type Handler = (message: BusMessage) => void;

export const T0 = Date.UTC(2026, 0, 1);

export class FakeLogs {
  connected = true;
  /** Of a republished line, 0 to 1. */
  loss = 0;
  lost = 0;
  reads = 0;
  readLines = 0;
  down = false;
  created = 'first';
  readonly lines: Stored[] = [];
  #firstSeq = 1;
  #lastSeq = 0;
  #clock = T0;
  readonly #random: () => number;
  readonly #subscriptions = new Set<{ filter: RegExp; handler: Handler }>();
  readonly #outgoing: Stored[] = [];
  #sending = false;
  readonly #disconnected: (() => void)[] = [];
  readonly #reconnected: (() => void | Promise<void>)[] = [];

  constructor(random: () => number = () => 0) {
    this.#random = random;
  }

  get subscriptions(): number {
    return this.#subscriptions.size;
  }

  get bus(): LogHubDeps['bus'] {
    const self = this;
    return {
      get connected() {
        return self.connected;
      },
      subscribe: (subject, handler) => {
        const subscription = { filter: pattern(subject), handler };
        this.#subscriptions.add(subscription);
        return { close: () => void this.#subscriptions.delete(subscription) };
      },
      streamState: async () => {
        await this.answered();
        const state = this.state;
        await this.turns();
        return state;
      },
      streamCreated: async () => {
        await this.answered();
        return this.created;
      },
      stored: {
        from: async (_stream: string, filter: string, seq: number, limit: number) => {
          await this.answered();
          const matches = pattern(filter);
          const found = this.lines.filter((line) => line.seq >= seq && matches.test(line.subject));
          this.reads += 1;
          this.readLines += Math.min(found.length, limit);
          await this.turns();
          return found.slice(0, limit);
        },
      } as never,
      onDisconnect: (callback) => void this.#disconnected.push(callback),
      onReconnect: (callback) => void this.#reconnected.push(callback),
    };
  }

  get state(): StreamState {
    return { firstSeq: this.#firstSeq, lastSeq: this.#lastSeq };
  }

  /** Stores a line and republishes it. */
  write(service: string, level: LogLevel, text?: string | Uint8Array): Stored {
    this.#lastSeq += 1;
    this.#clock += 1;
    const seq = this.#lastSeq;
    const subject = SUBJECTS.log(service, level, 'general');
    const previous = this.lines.findLast((line) => line.subject === subject)?.seq ?? 0;
    const timeMs = this.#clock;
    const data =
      typeof text === 'object' ? text : Buffer.from(JSON.stringify({ msg: text ?? `line ${seq}`, n: seq }));
    const heads: Record<string, string> = {
      'Nats-Sequence': String(seq),
      'Nats-Subject': subject,
      'Nats-Last-Sequence': String(previous),
      'Nats-Time-Stamp': new Date(timeMs).toISOString(),
    };
    const line = { seq, subject, timeMs, data, header: (name: string) => heads[name] };
    this.lines.push(line);
    this.#outgoing.push(line);
    if (!this.#sending) void this.#republish();
    return line;
  }

  /** The oldest lines go, up to a sequence. */
  drop(through: number): void {
    this.lines.splice(0, this.lines.findLastIndex(({ seq }) => seq <= through) + 1);
    this.#firstSeq = through + 1;
  }

  makeAnew(): void {
    this.lines.length = 0;
    this.#firstSeq = 1;
    this.#lastSeq = 0;
    this.#clock += 1_000;
    this.created += ' again';
  }

  disconnect(): void {
    this.connected = false;
    this.#outgoing.length = 0;
    for (const callback of this.#disconnected) callback();
  }

  reconnect(): void {
    this.connected = true;
    for (const callback of this.#reconnected) void callback();
  }

  async #republish(): Promise<void> {
    this.#sending = true;
    await this.turns();
    for (let line = this.#outgoing.shift(); line !== undefined; line = this.#outgoing.shift()) {
      if (this.connected) this.#deliver(line);
      if (this.#random() < 0.5) await this.turns();
    }
    this.#sending = false;
  }

  #deliver(line: Stored): void {
    if (this.#random() < this.loss) {
      this.lost += 1;
      return;
    }
    const subject = line.subject.replace(/^log\./, 'logs.out.');
    const message: BusMessage = { subject, data: line.data, header: line.header, respond: () => {} };
    for (const { filter, handler } of this.#subscriptions) if (filter.test(subject)) handler(message);
  }

  /** Until the broker has the question, it is there, and has thought. */
  async answered(): Promise<void> {
    await this.turns();
    while (!this.connected || this.down) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Some turns of the event loop. */
  async turns(): Promise<void> {
    for (let left = Math.floor(this.#random() * 4); left > 0; left -= 1)
      await new Promise((resolve) => setImmediate(resolve));
  }
}

function pattern(subject: string): RegExp {
  return new RegExp(`^${subject.replaceAll('.', '\\.').replaceAll('*', '[^.]+')}$`);
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
