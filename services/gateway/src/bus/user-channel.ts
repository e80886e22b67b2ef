/** What one user's connections tell each other, over all gateways. */
import { SUBJECTS, UserEvent } from '@natter/proto';
import type { Bus, Subscription } from '@natter/runtime';

type Listener = (event: UserEvent) => void;

interface Channel {
  subscription: Subscription;
  listeners: Set<Listener>;
}

const decoder = new TextDecoder();

export class UserChannel {
  readonly #bus: Pick<Bus, 'publish' | 'subscribe'>;
  /** By `sub`; as many as users with a connection here that listens. */
  readonly #channels = new Map<string, Channel>();

  constructor(bus: Pick<Bus, 'publish' | 'subscribe'>) {
    this.#bus = bus;
  }

  /** Lost when the broker is away: other devices then see the answer when they ask for it. */
  tell(sub: string, event: UserEvent): void {
    this.#bus.publish(SUBJECTS.userOut(sub), JSON.stringify(event));
  }

  /** Returns the function that ends it. */
  listen(sub: string, listener: Listener): () => void {
    const channel = this.#channels.get(sub) ?? this.#open(sub);
    channel.listeners.add(listener);
    return () => {
      channel.listeners.delete(listener);
      if (channel.listeners.size > 0 || this.#channels.get(sub) !== channel) return;
      channel.subscription.close();
      this.#channels.delete(sub);
    };
  }

  #open(sub: string): Channel {
    const listeners = new Set<Listener>();
    const subscription = this.#bus.subscribe(SUBJECTS.userOut(sub), (message) => {
      const event = UserEvent.parse(JSON.parse(decoder.decode(message.data)));
      for (const listener of listeners) listener(event);
    });
    const channel = { subscription, listeners };
    this.#channels.set(sub, channel);
    return channel;
  }
}
