/** Watches some runs as the gateway does, to see how long tokens take up to there. */
import { conversationKey, type RunBatch, SUBJECTS } from '@natter/proto';
import type { Bus } from '@natter/runtime';
import type { NatsServer } from '@natter/testkit';
import { monotonicMicros } from '../measure/clock.ts';
import { type Distribution, Samples } from '../measure/samples.ts';
import { connectAs } from './service-bus.ts';

const decoder = new TextDecoder();

export class BrokerTap {
  readonly #bus: Bus;
  readonly #epochMicros: number;
  #samples = new Samples();

  static async connect(nats: NatsServer, epochMicros: number): Promise<BrokerTap> {
    return new BrokerTap(await connectAs('gateway', nats), epochMicros);
  }

  private constructor(bus: Bus, epochMicros: number) {
    this.#bus = bus;
    this.#epochMicros = epochMicros;
  }

  /** Watches a conversation until the returned function is called. */
  watch(sub: string, session: string): () => void {
    const subject = SUBJECTS.conversationRunsOut(conversationKey(sub, session));
    const subscription = this.#bus.subscribe(subject, ({ data }) => this.#take(data));
    return () => subscription.close();
  }

  /** Latencies since the last call, in microseconds; null when there were none. */
  take(): Distribution | null {
    const samples = this.#samples;
    this.#samples = new Samples();
    return samples.count === 0 ? null : samples.distribution();
  }

  close(): Promise<void> {
    return this.#bus.close();
  }

  #take(data: Uint8Array): void {
    const now = monotonicMicros() - this.#epochMicros;
    const batch = JSON.parse(decoder.decode(data)) as RunBatch;
    for (const event of batch.events) {
      if (event.type !== 'text.delta') continue;
      for (const stamp of event.text.trimEnd().split(' '))
        this.#samples.add(now - Number.parseInt(stamp, 36));
    }
  }
}
