import { SUBJECTS, type UserEvent } from '@natter/proto';
import type { BusMessage } from '@natter/runtime';
import { describe, expect, it } from 'vitest';
import { UserChannel } from '../../src/bus/user-channel.ts';

const EVENT: UserEvent = { type: 'run.begun', conversation: 'alice=one', run: 'r', connection: 'c' };

function fakeBus() {
  const handlers = new Map<string, (message: BusMessage) => void>();
  let opened = 0;
  return {
    handlers,
    opened: () => opened,
    publish: (subject: string, data: Uint8Array | string) =>
      handlers.get(subject)?.({
        subject,
        data: Buffer.from(data as string),
        header: () => undefined,
        respond: () => undefined,
      }),
    subscribe: (subject: string, handler: (message: BusMessage) => void) => {
      opened += 1;
      handlers.set(subject, handler);
      return { close: () => void handlers.delete(subject) };
    },
  };
}

describe('UserChannel', () => {
  it('tells every connection of a user, over one subscription, and nobody else', () => {
    const bus = fakeBus();
    const channel = new UserChannel(bus);
    const heard: string[] = [];
    channel.listen('alice', { hear: () => heard.push('one') });
    channel.listen('alice', { hear: () => heard.push('two') });
    channel.listen('bob', { hear: () => heard.push('bob') });
    channel.tell('alice', EVENT);
    expect(heard).toEqual(['one', 'two']);
    expect(bus.opened()).toBe(2);
  });

  it('closes the subscription with the last connection, and opens another for the next', () => {
    const bus = fakeBus();
    const channel = new UserChannel(bus);
    const heard: UserEvent[] = [];
    const [one, two] = [{ hear: () => undefined }, { hear: () => undefined }];
    channel.listen('alice', one);
    channel.listen('alice', two);
    channel.unlisten('alice', one);
    expect([...bus.handlers.keys()]).toEqual([SUBJECTS.userOut('alice')]);
    channel.unlisten('alice', two);
    channel.unlisten('alice', two);
    expect(bus.handlers.size).toBe(0);
    channel.listen('alice', { hear: (event) => heard.push(event) });
    // One that ended before must not end this one.
    channel.unlisten('alice', one);
    channel.tell('alice', EVENT);
    expect(heard).toEqual([EVENT]);
  });
});
