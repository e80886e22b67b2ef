/** A broker in memory: what one bus publishes, all that are connected hear at once. */
import type { BusMessage } from '@natter/runtime';
import type { ClusterBus } from '../../src/cluster/cluster.ts';

type Handler = (message: BusMessage) => void;

export class FakeNet {
  readonly #buses = new Set<FakeBus>();

  bus(): FakeBus {
    const bus = new FakeBus(this);
    this.#buses.add(bus);
    return bus;
  }

  deliver(subject: string, data: string, respond: (data: Uint8Array) => void = () => {}): void {
    for (const bus of this.#buses) bus.receive(subject, data, respond);
  }
}

export class FakeBus implements ClusterBus {
  connected = true;
  closed = false;
  /** Publishes are lost although it looks connected, as on a dead link. */
  dead = false;
  /** Subject and parsed body of all that was published. */
  readonly published: { subject: string; body: Record<string, unknown> }[] = [];
  readonly #net: FakeNet;
  readonly #handlers = new Map<Handler, string>();
  readonly #reconnected: (() => void | Promise<void>)[] = [];

  constructor(net: FakeNet) {
    this.#net = net;
  }

  publish(subject: string, data: Uint8Array | string): void {
    const text = Buffer.from(data as string).toString();
    this.published.push({ subject, body: JSON.parse(text) });
    if (this.connected && !this.dead) this.#net.deliver(subject, text);
  }

  subscribe(subject: string, handler: Handler) {
    this.#handlers.set(handler, subject);
    return { close: () => void this.#handlers.delete(handler) };
  }

  async requestMany(subject: string, data: Uint8Array | string): Promise<Uint8Array[]> {
    const answers: Uint8Array[] = [];
    if (!this.dead)
      this.#net.deliver(subject, Buffer.from(data as string).toString(), (answer) => answers.push(answer));
    return answers;
  }

  onReconnect(callback: () => void | Promise<void>): void {
    this.#reconnected.push(callback);
  }

  disconnect(): void {
    this.connected = false;
  }

  reconnect(): void {
    this.connected = true;
    this.dead = false;
    for (const callback of this.#reconnected) void callback();
  }

  receive(subject: string, data: string, respond: (data: Uint8Array) => void): void {
    if (!this.connected || this.dead) return;
    for (const [handler, wanted] of this.#handlers) {
      if (wanted !== subject) continue;
      handler({
        subject,
        data: Buffer.from(data),
        header: () => undefined,
        respond: (answer) => respond(Buffer.from(answer as string)),
      });
    }
  }
}
