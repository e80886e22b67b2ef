import { describe, expect, it } from 'vitest';
import { Random } from '../../src/simulate/random.ts';
import { Server } from '../../src/simulate/server.ts';

/** Mean wait in a queue with random arrivals and work of 1 ms each. */
function meanWait(load: number, arrivals: number): number {
  const [random, server] = [new Random(7), new Server(1)];
  let now = 0;
  let waited = 0;
  for (let count = 0; count < arrivals; count += 1) {
    now += random.exponential(1 / load);
    waited += server.serve(now, 1) - 1 - now;
  }
  return waited / arrivals;
}

describe('a server', () => {
  it.each([0.3, 0.6, 0.8])('at a load of %d makes others wait as an M/D/1 queue does', (load) => {
    // Pollaczek and Khinchine: load × work ÷ 2(1 − load).
    const expected = load / (2 * (1 - load));
    expect(meanWait(load, 400_000) / expected).toBeCloseTo(1, 1);
  });

  it('never idles while work waits, and never does two things at once', () => {
    const server = new Server(1);
    expect(server.serve(0, 500)).toBe(500);
    expect(server.serve(100, 500)).toBe(1_000);
    expect(server.serve(2_000, 500)).toBe(2_500);
    expect(server.backlog(2_100)).toBe(400);
    expect(server.backlog(9_000)).toBe(0);
    expect(server.busyShares()).toEqual([1, 0, 0.5]);
    expect(server.work).toBe(1_500);
  });

  it('of four cores does the same work in a quarter of the time', () => {
    expect(new Server(4).serve(0, 1_000)).toBe(250);
  });

  it('that is killed forgets what waits, and has not done it', () => {
    const server = new Server(2);
    server.serve(0, 4_000);
    server.reset(500);
    expect(server.work).toBe(1_000);
    expect(server.busyShares()).toEqual([0.5, 0]);
    expect(server.serve(500, 1_000)).toBe(1_000);
  });
});
