import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { AppendOptions } from '../../src/bus/bus.ts';
import { BusError } from '../../src/bus/errors.ts';
import { LogShipper, type ShipperLimits } from '../../src/logs/log-shipper.ts';

const unavailable = () => new BusError('UNAVAILABLE', 'the connection was lost');

/** A broker that the test answers for: each append waits until the test settles it. */
class ScriptedBus {
  connected = true;
  readonly stored = new Map<string, string>();
  readonly subjects: string[] = [];
  readonly underWay: { id: string; text: string; resolve(): void; reject(error: Error): void }[] = [];
  /** Thrown by each append; null: the test settles it. */
  failure: BusError | null = null;
  #reconnected: () => void = () => undefined;

  onReconnect(callback: () => void): void {
    this.#reconnected = callback;
  }

  async append(subject: string, data: Uint8Array | string, { id = '' }: AppendOptions = {}) {
    this.subjects.push(subject);
    if (this.failure) throw this.failure;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const text = JSON.parse(String(data)).msg;
    this.underWay.push({ id, text, resolve, reject });
    await promise;
    const duplicate = this.stored.has(id);
    if (!duplicate) this.stored.set(id, text);
    return { seq: this.stored.size, duplicate };
  }

  reconnect(): void {
    this.connected = true;
    this.#reconnected();
  }

  /** Acknowledges what is sent until nothing is. */
  async acknowledgeAll(): Promise<void> {
    while (this.underWay.length > 0) {
      for (const { resolve } of this.underWay.splice(0)) resolve();
      await vi.advanceTimersByTimeAsync(0);
    }
  }

  get lines(): string[] {
    return [...this.stored.values()];
  }
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function shipping(limits: Partial<ShipperLimits> = {}) {
  const bus = new ScriptedBus();
  const counted = { dropped: 0 };
  const count = (lines: number) => {
    counted.dropped += lines;
  };
  const shipper = new LogShipper('agent', count, limits);
  const say = (...texts: string[]) => {
    for (const msg of texts)
      shipper.take(`${JSON.stringify({ level: 'info', service: 'agent', msg })}\n`, 'info');
  };
  return { bus, counted, shipper, say };
}

const numbered = (count: number, from = 0) => Array.from({ length: count }, (_, index) => `${from + index}`);

test('lines go to the subject of their service, level and category', async () => {
  const { bus, shipper } = shipping();
  shipper.attach(bus);
  shipper.take('{"msg":"a"}\n', 'warn');
  shipper.take('{"msg":"b","category":"a.b"}\n', 'error');
  await bus.acknowledgeAll();
  expect(bus.subjects).toEqual(['log.agent.warn.general', 'log.agent.error.a_2eb']);
  expect(shipper.waiting).toBe(0);
});

test('lines from before there was a bus arrive, in order', async () => {
  const { bus, shipper, say } = shipping({ inFlight: 4 });
  say(...numbered(20));
  shipper.attach(bus);
  await bus.acknowledgeAll();
  expect(bus.lines).toEqual(numbered(20));
});

test('no more lines are under way than the cap', () => {
  const { bus, shipper, say } = shipping({ inFlight: 3 });
  shipper.attach(bus);
  say(...numbered(10));
  expect(bus.underWay.map(({ text }) => text)).toEqual(numbered(3));
});

test('[logs/bounded] [logs/dropped-counted] [logs/dropped-said] lines above the cap are dropped, counted, and told by one line where they are missing', async () => {
  const { bus, counted, shipper, say } = shipping({ lines: 4 });
  say(...numbered(10));
  expect(shipper.waiting).toBe(4);
  expect(counted.dropped).toBe(6);
  shipper.attach(bus);
  await bus.acknowledgeAll();
  say('after');
  await bus.acknowledgeAll();
  expect(bus.lines).toEqual([...numbered(4), '6 log lines were dropped', 'after']);
  expect(bus.subjects.at(-2)).toBe('log.agent.warn.logs');
  expect(counted.dropped).toBe(6);
});

test('[logs/bounded] the cap of bytes holds too', () => {
  const { shipper, say, counted } = shipping({ bytes: 1_000 });
  say('x'.repeat(500), 'y'.repeat(500), 'z');
  // A hole is one hole: what comes right after the dropped line is dropped too.
  expect(shipper.waiting).toBe(1);
  expect(counted.dropped).toBe(2);
});

test('lines under way when the connection is lost are sent again in order, each stored once', async () => {
  const { bus, shipper, say } = shipping({ inFlight: 4 });
  shipper.attach(bus);
  say(...numbered(8));
  const [first, second, third, fourth] = bus.underWay.splice(0);
  // The broker stored the second, and only its answer was lost.
  bus.stored.set(second?.id ?? '', '1');
  first?.resolve();
  bus.connected = false;
  for (const line of [fourth, second, third]) line?.reject(unavailable());
  await vi.advanceTimersByTimeAsync(0);
  say('8');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(bus.underWay).toEqual([]);
  bus.reconnect();
  await bus.acknowledgeAll();
  expect(bus.lines.toSorted()).toEqual(numbered(9));
  expect(bus.lines.slice(2)).toEqual(numbered(7, 2));
});

test('[logs/bounded] [logs/dropped-said] while nobody takes lines, one is tried now and then, and the buffer stays within its cap', async () => {
  const { bus, shipper, say, counted } = shipping({ lines: 100 });
  bus.failure = unavailable();
  shipper.attach(bus);
  for (let second = 0; second < 60; second += 1) {
    say(...numbered(10));
    await vi.advanceTimersByTimeAsync(1_000);
  }
  expect(shipper.waiting).toBe(100);
  expect(counted.dropped).toBe(500);
  expect(bus.subjects.length).toBeLessThan(50);
  bus.failure = null;
  await vi.advanceTimersByTimeAsync(2_000);
  await bus.acknowledgeAll();
  expect(bus.lines).toEqual([...Array(10).fill(numbered(10)).flat(), '500 log lines were dropped']);
});

test('a line that the broker refuses is counted, and not told by a line that it would refuse too', async () => {
  const { bus, shipper, say, counted } = shipping();
  bus.failure = new BusError('REFUSED', 'no space left');
  shipper.attach(bus);
  say('a', 'b');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(counted.dropped).toBe(2);
  expect(bus.subjects).toHaveLength(2);
  expect(shipper.waiting).toBe(0);
});

test('a service that may not publish lines tries once for each connection', async () => {
  const { bus, shipper, say } = shipping({ inFlight: 1 });
  bus.failure = new BusError('REFUSED', 'Permissions Violation for Publish to "log.agent.info.general"');
  shipper.attach(bus);
  say(...numbered(5));
  await vi.advanceTimersByTimeAsync(60_000);
  say('later');
  expect(bus.subjects).toHaveLength(1);
  bus.reconnect();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(bus.subjects).toHaveLength(2);
});

test('closing waits for the last lines', async () => {
  const { bus, shipper, say } = shipping();
  shipper.attach(bus);
  say('stopping');
  const closed = vi.fn();
  const close = shipper.close(1_000).then(closed);
  await vi.advanceTimersByTimeAsync(500);
  expect(closed).not.toHaveBeenCalled();
  await bus.acknowledgeAll();
  await close;
  expect(bus.lines).toEqual(['stopping']);
  say('too late');
  expect(shipper.waiting).toBe(0);
});

test('[logs/never-blocks] closing gives up after its time', async () => {
  const { bus, shipper, say } = shipping();
  shipper.attach(bus);
  say('stopping');
  const close = shipper.close(1_000);
  await vi.advanceTimersByTimeAsync(1_000);
  await close;
  expect(bus.lines).toEqual([]);
});

test('[logs/never-blocks] closing does not wait for a broker that is away', async () => {
  const { bus, shipper, say } = shipping();
  bus.connected = false;
  shipper.attach(bus);
  say('stopping');
  await shipper.close(1_000);
  expect(vi.getTimerCount()).toBe(0);
});
