/** Sees what passes a test's broker and what it keeps, beside the services. */
import { STREAMS } from '@natter/proto';
import { Bus, createLogger } from '@natter/runtime';
import type { NatsServer } from '@natter/testkit';

/** A message that is waited for. */
export interface Awaited {
  /** Its subject; what is stored under it may not be stored yet. */
  seen: Promise<string>;
  stop(): void;
}

export interface BrokerWatch {
  /** Waits for the next message to `subject`, which may have wildcards; `then` is called as it comes. */
  await(subject: string, then?: () => void): Promise<Awaited>;
  /** Subjects that a stream holds a message of. */
  subjects(stream: string, filter?: string): Promise<string[]>;
  /** Values of a stream's messages, parsed; oldest first. */
  values(stream: string, filter: string): Promise<unknown[]>;
  stop(): Promise<void>;
}

/** Only where anybody may sign in: `startNatsServer()` without `signIn`. */
export async function watchBroker({ url }: Pick<NatsServer, 'url'>): Promise<BrokerWatch> {
  const bus = await Bus.connect({ url, name: 'watch', nkeyFile: null }, createLogger('watch', 'silent'));
  return {
    async await(subject, then) {
      const { promise: seen, resolve } = Promise.withResolvers<string>();
      const subscription = bus.subscribe(subject, (message) => {
        subscription.close();
        then?.();
        resolve(message.subject);
      });
      // Once this is answered, the broker has the subscription.
      await bus.hasStream(STREAMS.messages);
      return { seen, stop: () => subscription.close() };
    },
    subjects: (stream, filter = '>') => bus.subjectsOf(stream, filter),
    values: async (stream, filter) =>
      (await bus.stored.all(stream, filter)).map(({ data }) => JSON.parse(Buffer.from(data).toString())),
    stop: () => bus.close(),
  };
}
