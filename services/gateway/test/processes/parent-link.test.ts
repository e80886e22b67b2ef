import { expect, test } from 'vitest';
import { parentLink } from '../../src/processes/parent-link.ts';

function channel() {
  const sent: unknown[] = [];
  const flush: (() => void)[] = [];
  let hear: (word: unknown) => void = () => undefined;
  return {
    sent,
    flush,
    hear: (word: unknown) => hear(word),
    connected: true,
    send(word: unknown, done: () => void) {
      sent.push(word);
      flush.push(done);
      return true;
    },
    on(_event: 'message', callback: (word: unknown) => void) {
      hear = callback;
    },
  };
}

test('a parent that does not read gets one word, and the newest when it reads again', () => {
  const parent = channel();
  const link = parentLink(parent);
  for (const connections of [1, 2, 3]) link.report(connections);
  parent.flush.shift()?.();
  link.report(4);
  expect(parent.sent).toEqual([{ connections: 1 }, { connections: 4 }]);
});

test('a parent that is gone is told nothing', () => {
  const parent = channel();
  parent.connected = false;
  parentLink(parent).report(1);
  expect(parent.sent).toEqual([]);
});

test('shares are heard, other words are not', () => {
  const parent = channel();
  const heard: number[] = [];
  parentLink(parent).onShare((count) => heard.push(count));
  parent.hear({ maxConnections: 7 });
  parent.hear({ other: 1 });
  expect(heard).toEqual([7]);
});
