/** Takes messages from a durable consumer, no more than there are free slots for. */
import type { ConsumerMessages, JetStreamClient, JsMsg } from '@nats-io/jetstream';
import type { Logger } from '../logger.ts';
import { TRACEPARENT } from '../tracing.ts';
import { asBusError } from './errors.ts';

export interface Delivery {
  /** Sequence in the stream. */
  seq: number;
  subject: string;
  data: Uint8Array;
  /** Whether it was delivered before: nobody has ended it within AckWait. */
  redelivered: boolean;
  traceparent: string | undefined;
  /** Tells the broker that the work goes on; without it AckWait runs out. */
  working(): void;
  /** Ends the delivery for good; resolves when the broker knows, or rejects. */
  done(): Promise<void>;
  /** Gives it back, to be delivered again after `delayMs`. */
  giveBack(delayMs: number): void;
}

/** A broker that is away answers no drain, and has sent nothing either. */
const DRAIN_TIMEOUT_MS = 1_000;

export class Puller {
  readonly #js: JetStreamClient;
  readonly #stream: string;
  readonly #consumer: string;
  readonly #log: Logger;
  #stopped = false;
  #wake: (() => void) | null = null;
  #running: Promise<void> | null = null;
  #current: ConsumerMessages | null = null;

  constructor(js: JetStreamClient, stream: string, consumer: string, log: Logger) {
    this.#js = js;
    this.#stream = stream;
    this.#consumer = consumer;
    this.#log = log;
  }

  /** Calls `take` for each delivery; asks for `free()` messages at a time, none while it is 0. */
  start(free: () => number, take: (delivery: Delivery) => void): void {
    this.#running = this.#loop(free, take);
  }

  /** Says that a slot has become free. */
  slotFreed(): void {
    this.#wake?.();
  }

  /** Takes nothing more and gives back what is on its way; resolves when that has arrived. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake?.();
    if (this.#current !== null) await drain(this.#current);
    await this.#running;
  }

  async #loop(free: () => number, take: (delivery: Delivery) => void): Promise<void> {
    for (let failures = 0; !this.#stopped; ) {
      const slots = Math.min(free(), 100);
      if (slots <= 0) {
        await this.#pause(1_000);
        continue;
      }
      try {
        await this.#fetch(slots, take);
        failures = 0;
      } catch (error) {
        if (this.#stopped) return;
        failures += 1;
        // The first one is the ordinary end of a request when the broker goes away.
        if (failures > 1)
          this.#log.warn(
            { err: asBusError(error), failures, consumer: this.#consumer },
            'nothing could be taken',
          );
        await this.#pause(Math.min(100 * 2 ** failures, 2_000));
      }
    }
  }

  async #fetch(slots: number, take: (delivery: Delivery) => void): Promise<void> {
    const consumer = await this.#js.consumers.get(this.#stream, this.#consumer);
    // The heartbeat ends a request whose broker has died; it must stay below half of `expires`.
    const messages = await consumer.fetch({ max_messages: slots, expires: 5_000, idle_heartbeat: 1_000 });
    // The broker is asked in the loop below: so far there is nothing to give back.
    if (this.#stopped) return void messages.close();
    this.#current = messages;
    try {
      for await (const message of messages) {
        if (this.#stopped) message.nak();
        else take(asDelivery(message));
      }
    } finally {
      this.#current = null;
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/**
 * Ends a request after everything the broker had sent for it.
 *
 * `close` alone unsubscribes at once: a turn on its way is dropped, and comes back only when
 * AckWait has run out. The library has no public word for a drain; its class keeps the
 * subscription in `sub` (@nats-io/jetstream 3.4, consumer.js).
 */
async function drain(messages: ConsumerMessages): Promise<void> {
  const { sub } = messages as ConsumerMessages & { sub?: { drain(): Promise<void> } };
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, DRAIN_TIMEOUT_MS);
  });
  // It rejects when the request has just ended by itself: then nothing is on its way.
  await Promise.race([late, sub?.drain().catch(() => undefined)]);
  clearTimeout(timer);
  await messages.close();
}

function asDelivery(message: JsMsg): Delivery {
  return {
    seq: message.seq,
    subject: message.subject,
    data: message.data,
    redelivered: message.redelivered,
    traceparent: message.headers?.get(TRACEPARENT) || undefined,
    working: () => message.working(),
    done: async () => {
      // `ack` alone is fire and forget: a lost one would bring the turn back after it ended.
      if (!(await message.ackAck({ timeout: 3_000 })))
        throw asBusError(new Error('not acknowledged: connection closed'));
    },
    giveBack: (delayMs) => message.nak(delayMs),
  };
}
