/** What one user's connections tell each other, over all gateways. */
import { SUBJECTS, UserEvent } from '@natter/proto';
import type { Bus, Subscription } from '@natter/runtime';

/** A connection; no closure of it, which would cost memory. */
export interface UserListener {
  hear(event: UserEvent): void;
}

interface Channel {
  subscription: Subscription;
  /** A few, as users have devices. */
  listeners: UserListener[];
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

  listen(sub: string, listener: UserListener): void {
    const channel = this.#channels.get(sub) ?? this.#open(sub);
    channel.listeners.push(listener);
  }

  /** Does nothing for one that doesn't listen. */
  unlisten(sub: string, listener: UserListener): void {
    const channel = this.#channels.get(sub);
    const at = channel?.listeners.indexOf(listener) ?? -1;
    if (channel === undefined || at === -1) return;
    channel.listeners.splice(at, 1);
    if (channel.listeners.length > 0) return;
    channel.subscription.close();
    this.#channels.delete(sub);
  }

  #open(sub: string): Channel {
    const listeners: UserListener[] = [];
    const subscription = this.#bus.subscribe(SUBJECTS.userOut(sub), (message) => {
      const event = UserEvent.parse(JSON.parse(decoder.decode(message.data)));
      for (const listener of [...listeners]) listener.hear(event);
    });
    const channel = { subscription, listeners };
    this.#channels.set(sub, channel);
    return channel;
  }
}
