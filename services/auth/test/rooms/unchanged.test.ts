import { expect, it } from 'vitest';
import { Unchanged } from '../../src/rooms/unchanged.ts';

/** A bucket of texts, which counts who reads it, and may answer from a replica that is behind. */
function bucketOf(values: Record<string, string>, max = 10) {
  const stored = new Map(Object.entries(values));
  const self = {
    seq: 7,
    nowMs: 1_000_000,
    lag: 0,
    reads: [] as string[][],
    duringRead: (): void => undefined,
  };
  const bucket = {
    lastSeq: async () => self.seq,
    getMany: async (keys: readonly string[]) => {
      self.reads.push([...keys]);
      const found = new Map(
        keys.flatMap((key) => {
          const value = stored.get(key);
          return value === undefined ? [] : [[key, { value: Buffer.from(value), revision: 1 }] as const];
        }),
      );
      self.duringRead();
      return { found, upTo: self.lag === 0 ? self.seq : null };
    },
  };
  const write = (key: string, value: string | null) => {
    self.seq += 1;
    if (value === null) stored.delete(key);
    else stored.set(key, value);
  };
  const parse = (value: Uint8Array) => (value.length === 0 ? null : Buffer.from(value).toString());
  return { self, write, records: new Unchanged({ bucket, parse, max, now: () => self.nowMs }) };
}

it('reads a record once while nothing is written, also that there is none', async () => {
  const { self, records } = bucketOf({ a: 'A', bad: '' });
  expect(await records.getMany(['a', 'none', 'bad', 'a'])).toEqual(['A', null, null, 'A']);
  expect(await records.getMany(['none', 'a', 'bad'])).toEqual([null, 'A', null]);
  expect(self.reads).toEqual([['a', 'none', 'bad']]);
});

it('reads only what it has not', async () => {
  const { self, records } = bucketOf({ a: 'A', b: 'B' });
  await records.getMany(['a']);
  expect(await records.getMany(['a', 'b'])).toEqual(['A', 'B']);
  expect(self.reads).toEqual([['a'], ['b']]);
});

it('knows nothing any more once anything was written', async () => {
  const { self, write, records } = bucketOf({ a: 'A', b: 'B' });
  await records.getMany(['a', 'b']);
  write('a', null);
  expect(await records.getMany(['a', 'b'])).toEqual([null, 'B']);
  write('c', 'C');
  expect(await records.getMany(['a'])).toEqual([null]);
  expect(self.reads).toHaveLength(3);
});

it('keeps nothing of an answer that may be older or newer than what the leader said', async () => {
  const { self, write, records } = bucketOf({ a: 'A' });
  self.lag = 1;
  expect(await records.getMany(['a'])).toEqual(['A']);
  self.lag = 0;
  self.duringRead = () => write('b', 'B');
  expect(await records.getMany(['a'])).toEqual(['A']);
  self.duringRead = () => undefined;
  expect(await records.getMany(['a'])).toEqual(['A']);
  expect(self.reads).toHaveLength(3);
});

it('keeps nothing that was read while somebody else saw a later write', async () => {
  const { self, write, records } = bucketOf({ a: 'A' });
  const { promise, resolve } = Promise.withResolvers<void>();
  let later: Promise<unknown> = promise;
  self.duringRead = () => {
    self.duringRead = () => undefined;
    write('a', 'changed');
    later = records.getMany(['a']);
    resolve();
  };
  await records.getMany(['a']);
  await later;
  expect(await records.getMany(['a'])).toEqual(['changed']);
});

it('forgets all after 30 s, and when it has too many', async () => {
  const { self, records } = bucketOf({ a: 'A', b: 'B', c: 'C' }, 2);
  await records.getMany(['a']);
  self.nowMs += 30_001;
  await records.getMany(['a']);
  expect(self.reads).toHaveLength(2);
  await records.getMany(['b', 'c']);
  await records.getMany(['a']);
  expect(self.reads).toHaveLength(4);
});
