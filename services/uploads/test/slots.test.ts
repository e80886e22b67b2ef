import { describe, expect, it } from 'vitest';
import { Slots } from '../src/slots.ts';

describe('Slots', () => {
  it('lets so many in, and the next in the order in which they came', async () => {
    const slots = new Slots(1, 2);
    const order: string[] = [];
    expect(await slots.take()).toBe(true);
    const second = slots.take().then(() => order.push('second'));
    const third = slots.take().then(() => order.push('third'));
    slots.release();
    await second;
    expect(order).toEqual(['second']);
    slots.release();
    await third;
    expect(order).toEqual(['second', 'third']);
  });

  it('sends away whoever finds the line full', async () => {
    const slots = new Slots(1, 1);
    await slots.take();
    const waiting = slots.take();
    expect(await slots.take()).toBe(false);
    slots.release();
    expect(await waiting).toBe(true);
  });

  it('is free again when all have left', async () => {
    const slots = new Slots(1, 0);
    await slots.take();
    expect(await slots.take()).toBe(false);
    slots.release();
    expect(await slots.take()).toBe(true);
  });
});
