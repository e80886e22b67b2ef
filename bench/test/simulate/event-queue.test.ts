import { describe, expect, it } from 'vitest';
import { EventQueue } from '../../src/simulate/event-queue.ts';
import { Random } from '../../src/simulate/random.ts';

describe('the queue of events', () => {
  it('gives them back in the order of their times, those of one time as they came', () => {
    const [queue, random] = [new EventQueue(), new Random(3)];
    const added = Array.from({ length: 5_000 }, (_, subject) => ({ at: random.below(500), subject }));
    for (const { at, subject } of added) queue.add(at, 1, subject);
    const taken: { at: number; subject: number }[] = [];
    while (queue.take((_kind, subject) => taken.push({ at: queue.now, subject })));
    expect(taken).toEqual(added.toSorted((a, b) => a.at - b.at || a.subject - b.subject));
  });

  it('takes in new ones while old ones are taken', () => {
    const [queue, random] = [new EventQueue(), new Random(4)];
    const times: number[] = [];
    queue.add(0, 0, 0);
    const handle = () => {
      times.push(queue.now);
      if (times.length + queue.size > 3_000) return;
      for (let child = 0; child < 2; child += 1) queue.add(queue.now + random.below(100), 0, 0);
    };
    while (queue.take(handle));
    expect(times.length).toBe(3_001);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  it('refuses an event in the past', () => {
    const queue = new EventQueue();
    queue.add(10, 0, 0);
    queue.take(() => undefined);
    expect(() => queue.add(9, 0, 0)).toThrow(RangeError);
    expect(() => queue.add(Number.NaN, 0, 0)).toThrow(RangeError);
  });
});
