import { expect, it } from 'vitest';
import { WaitingLine } from '../src/waiting-line.ts';

function lineUnderTest() {
  let nowMs = 0;
  const line = new WaitingLine({
    atOnce: 1,
    maxWaiting: 3,
    maxWaitingBytes: 100,
    maxWaitMs: 500,
    now: () => nowMs,
  });
  const begun: string[] = [];
  /** Ends when told to. */
  const task = (name: string, bytes = 10) => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const done = line.run(bytes, () => {
      begun.push(name);
      return promise;
    });
    return { done, end: () => resolve(name) };
  };
  return { line, begun, task, pass: (ms: number) => (nowMs += ms) };
}

it('works on requests in their order, and on the next when one has failed', async () => {
  const { line, begun, task } = lineUnderTest();
  const failing = line.run(1, () => Promise.reject(new Error('oops')));
  const [one, two] = [task('one'), task('two')];
  expect(begun).toEqual([]);
  await expect(failing).rejects.toThrow('oops');
  one.end();
  expect(await one.done).toBe('one');
  two.end();
  expect(await two.done).toBe('two');
  expect(begun).toEqual(['one', 'two']);
});

it('answers null at once when too many wait, or too many bytes', async () => {
  const { task } = lineUnderTest();
  const first = task('first');
  const waiting = [task('one', 40), task('two', 40)];
  expect(await task('too large', 21).done).toBeNull();
  waiting.push(task('three', 20));
  expect(await task('too many', 0).done).toBeNull();
  for (const { end } of [first, ...waiting]) end();
  expect(await Promise.all(waiting.map(({ done }) => done))).toEqual(['one', 'two', 'three']);
  // All places and bytes are free again.
  const again = [task('a', 0), task('b', 100)];
  for (const { end } of again) end();
  expect(await Promise.all(again.map(({ done }) => done))).toEqual(['a', 'b']);
});

it('leaves out who has waited for too long, and goes on with who has not', async () => {
  const { begun, task, pass } = lineUnderTest();
  const first = task('first');
  const late = [task('late 1'), task('late 2')];
  pass(501);
  const fresh = task('fresh');
  first.end();
  fresh.end();
  expect(await Promise.all([...late, fresh].map(({ done }) => done))).toEqual([null, null, 'fresh']);
  expect(begun).toEqual(['first', 'fresh']);
});
