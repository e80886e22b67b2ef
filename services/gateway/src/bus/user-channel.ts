/** What one user's connections tell each other, over all gateways. */
import { SUBJECTS, UserEvent } from '@natter/proto';
import type { Bus, BusMessage, Subscription } from '@natter/runtime';

/** A connection; no closure of it, which would cost memory. */
export interface UserListener {
  hear(event: UserEvent): void;
}

interface Channel {
  subscription: Subscription;
  /** A few, as users have devices; a new list whenever one comes or goes. */
  listeners: readonly UserListener[];
}

const decoder = new TextDecoder();

export class UserChannel {
  readonly #bus: Pick<Bus, 'publish' | 'subscribe'>;
  /** By subject; as many as users with a connection here that listens. */
  readonly #channels = new Map<string, Channel>();

  /** One for all users: one each took 100 bytes. */
  readonly #hear = ({ subject, data }: BusMessage): void => {
    const event = UserEvent.parse(JSON.parse(decoder.decode(data)));
    for (const listener of this.#channels.get(subject)?.listeners ?? []) listener.hear(event);
  };

  constructor(bus: Pick<Bus, 'publish' | 'subscribe'>) {
    this.#bus = bus;
  }

  /** Lost when the broker is away: other devices then see the answer when they ask for it. */
  tell(sub: string, event: UserEvent): void {
    this.#bus.publish(SUBJECTS.userOut(sub), JSON.stringify(event));
  }

  listen(sub: string, listener: UserListener): void {
    const subject = SUBJECTS.userOut(sub);
    const channel = this.#channels.get(subject);
    if (channel !== undefined) channel.listeners = channel.listeners.concat([listener]);
    else {
      const subscription = this.#bus.subscribe(subject, this.#hear);
      this.#channels.set(subject, { subscription, listeners: [listener] });
    }
  }

  /** Does nothing for one that doesn't listen. */
  unlisten(sub: string, listener: UserListener): void {
    const subject = SUBJECTS.userOut(sub);
    const channel = this.#channels.get(subject);
    const at = channel?.listeners.indexOf(listener) ?? -1;
    if (channel === undefined || at === -1) return;
    channel.listeners = channel.listeners.toSpliced(at, 1);
    if (channel.listeners.length > 0) return;
    channel.subscription.close();
    this.#channels.delete(subject);
  }
}
