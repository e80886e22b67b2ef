import { describe, expect, it } from 'vitest';
import { LogStore } from '../../../src/bus/logs/log-store.ts';
import { FakeLogs, seeded } from './fake-logs.ts';

const ALL = ['log.*.*.*'];
const SEVERE = ['log.*.error.*', 'log.*.fatal.*'];

function filled(lines: number, isError: (seq: number) => boolean = () => false) {
  const logs = new FakeLogs();
  for (let seq = 1; seq <= lines; seq += 1) logs.write('a', isError(seq) ? 'error' : 'info', 'x');
  return { logs, store: new LogStore(logs.bus) };
}

const seqs = (lines: { seq: number }[]) => lines.map(({ seq }) => seq);

describe('LogStore.tail', () => {
  it('finds the last lines with few reads where every line counts', async () => {
    const { logs, store } = filled(5_000);
    expect(seqs(await store.tail(ALL, 3, logs.state))).toEqual([4_998, 4_999, 5_000]);
    expect(logs.reads).toBeLessThanOrEqual(5);
  });

  it('finds the last lines of a sparse filter far behind with few reads', async () => {
    const { logs, store } = filled(40_000, (seq) => seq === 10 || seq === 20_000 || seq === 39_999);
    expect(seqs(await store.tail(SEVERE, 3, logs.state))).toEqual([10, 20_000, 39_999]);
    expect(logs.reads).toBeLessThan(20);
    expect(logs.readLines).toBeLessThan(20);
  });

  it('finds fewer where LOGS has no more', async () => {
    const { logs, store } = filled(50, (seq) => seq % 20 === 0);
    logs.drop(25);
    expect(seqs(await store.tail(SEVERE, 1_000, logs.state))).toEqual([40]);
    expect(await store.tail(SEVERE, 5, { firstSeq: 1, lastSeq: 0 })).toEqual([]);
  });

  it.each([1, 2, 3, 4, 5])('agrees with the model, however uneven the lines are (seed %i)', async (seed) => {
    const random = seeded(seed);
    let dense = false;
    const { logs, store } = filled(12_000, () => {
      if (random() < 0.002) dense = !dense;
      return random() < (dense ? 0.9 : 0.001);
    });
    const wanted = logs.lines.filter(({ subject }) => subject.includes('error')).map(({ seq }) => seq);
    for (const count of [1, 100, 1_000])
      expect(seqs(await store.tail(SEVERE, count, logs.state))).toEqual(wanted.slice(-count));
  });

  it('reads no more than 20,000 lines, and leaves none out between those it finds', async () => {
    // Ten errors, nothing for long, and a wall of errors before it.
    const { logs, store } = filled(60_000, (seq) => seq < 45_000 || seq > 59_990);
    const found = seqs(await store.tail(SEVERE, 1_000, logs.state));
    expect(logs.readLines).toBeLessThan(21_000);
    expect(found).toEqual(
      Array.from({ length: 60_000 }, (_, at) => at + 1)
        .filter((seq) => seq < 45_000 || seq > 59_990)
        .slice(-found.length),
    );
    expect(found.length).toBeGreaterThanOrEqual(10);
  });
});

describe('LogStore.pages', () => {
  it('merges filters by sequence, page by page, and ends where it is told', async () => {
    const random = seeded(3);
    const { logs, store } = filled(3_000, () => random() < 0.3);
    const found: number[] = [];
    for await (const page of store.pages(['log.*.error.*', 'log.*.info.*'], 10, 2_900)) {
      expect(page.length).toBeGreaterThan(0);
      found.push(...seqs(page));
    }
    expect(found).toEqual(Array.from({ length: 2_890 }, (_, at) => at + 11));
    expect(logs.readLines).toBeLessThan(2 * 3_000);
  });
});
