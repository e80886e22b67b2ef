import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ConversationFeed } from '../../src/bus/conversation-feed.ts';
import type { Position } from '../../src/bus/cursor.ts';
import { reachCursor } from '../../src/bus/reach-cursor.ts';
import type { TranscriptReader } from '../../src/bus/transcript-reader.ts';

const START: Position = { log: 0, end: 0, run: '', at: 0, marks: 0 };
const RUN = 'a'.repeat(26);

/** A gateway that has come so far. */
function gatewayAt(position: Partial<Position>, runs: { text: string; marks: number }[] = []) {
  const ends = new Map<string, number>();
  const feeds = runs.map(({ text, marks }) => ({
    run: RUN,
    view: { text, marks, end: null },
    repair: vi.fn(async () => undefined),
  }));
  const runEndSeq = async (_conversation: string, run: string) => ends.get(run) ?? null;
  const broker = { lastSeq: 8, knowsRun: true };
  const lastSeq = async () => broker.lastSeq;
  const knowsRun = async () => broker.knowsRun;
  // What MESSAGES has: nothing but entries of the log, unless a test says so.
  const records = Array.from({ length: 8 }, (_, at) => ({ seq: at + 1, record: {} }));
  const since = vi.fn(async (seq: number) => {
    const entries = records.filter((one) => one.seq > seq);
    return { entries, upTo: entries.at(-1)?.seq ?? seq };
  });
  const feed = {
    conversation: 'alice=one',
    position: { ...START, ...position },
    runs: new Map(feeds.map((one) => [one.run, one])),
    openRuns: feeds,
    missed: { since },
  };
  const deps = { feed, reader: { runEndSeq, lastSeq, knowsRun } } as unknown as Deps;
  return { feed, feeds, ends, broker, records, since, deps };
}

type Deps = { feed: ConversationFeed; reader: TranscriptReader };

/** Whether it is still waiting after this long. */
async function isWaiting(reached: Promise<void>, ms: number): Promise<boolean> {
  let done = false;
  void reached.then(
    () => (done = true),
    () => (done = true),
  );
  await vi.advanceTimersByTimeAsync(ms);
  return !done;
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a reader who comes with a cursor', () => {
  it('goes on at once where this gateway has heard as much', async () => {
    const { deps } = gatewayAt({ log: 7, end: 3 }, [{ text: 'Hello', marks: 2 }]);
    const reached = reachCursor({ log: 7, end: 3, run: RUN, at: 5, marks: 2 }, deps);
    expect(await isWaiting(reached, 0)).toBe(false);
  });

  it('waits for entries of the log that another gateway has told of', async () => {
    const { deps, feed } = gatewayAt({ log: 7 });
    const reached = reachCursor({ ...START, log: 8 }, deps);
    expect(await isWaiting(reached, 100)).toBe(true);
    feed.position.log = 8;
    expect(await isWaiting(reached, 20)).toBe(false);
  });

  it('does not wait for an entry where the other gateway counts from the end of a run', async () => {
    const { deps, records, since } = gatewayAt({ log: 6 });
    for (const one of records) if (one.seq > 6) one.record = { role: 'assistant' };
    const reached = reachCursor({ ...START, log: 8 }, deps);
    expect(await isWaiting(reached, 40)).toBe(false);
    expect(since).toHaveBeenCalledTimes(1);
  });

  it('waits for an entry that a replica of the broker does not have yet', async () => {
    const { deps, records, feed } = gatewayAt({ log: 6 });
    records.length = 7;
    for (const one of records) one.record = { role: 'assistant' };
    const reached = reachCursor({ ...START, log: 8 }, deps);
    expect(await isWaiting(reached, 80)).toBe(true);
    feed.position.log = 8;
    expect(await isWaiting(reached, 20)).toBe(false);
  });

  it('waits for text and other events of the run', async () => {
    const { deps, feeds } = gatewayAt({}, [{ text: 'Hel', marks: 1 }]);
    const [run] = feeds;
    if (run === undefined) throw new Error('no run');
    const reached = reachCursor({ ...START, run: RUN, at: 5, marks: 2 }, deps);
    expect(await isWaiting(reached, 40)).toBe(true);
    run.view.text = 'Hello';
    expect(await isWaiting(reached, 40)).toBe(true);
    run.view.marks = 2;
    expect(await isWaiting(reached, 20)).toBe(false);
  });

  it('waits for the end of a run that is recorded and was not heard of', async () => {
    const { deps, feed, ends } = gatewayAt({ log: 7, end: 3 }, [{ text: 'Hello', marks: 2 }]);
    ends.set(RUN, 6);
    const reached = reachCursor({ log: 7, end: 6, run: RUN, at: 5, marks: 2 }, deps);
    expect(await isWaiting(reached, 40)).toBe(true);
    feed.position.end = 6;
    expect(await isWaiting(reached, 20)).toBe(false);
  });

  it('does not wait for a gateway that began to watch earlier, and counts from an earlier end', async () => {
    const { deps } = gatewayAt({ log: 7, end: 3 }, [{ text: 'Hello', marks: 2 }]);
    const reached = reachCursor({ log: 7, end: 6, run: RUN, at: 5, marks: 2 }, deps);
    expect(await isWaiting(reached, 0)).toBe(false);
  });

  it('waits for a run of which nothing was heard, unless it is over', async () => {
    const { deps, ends, feed } = gatewayAt({});
    const since = { ...START, run: RUN, at: 5, marks: 2 };
    const reached = reachCursor(since, deps);
    expect(await isWaiting(reached, 100)).toBe(true);
    ends.set(RUN, 4);
    expect(await isWaiting(reached, 20)).toBe(true);
    feed.position.end = 4;
    expect(await isWaiting(reached, 20)).toBe(false);
  });

  it('reads a run that stays behind from the broker, and is refused after 2 s', async () => {
    const { deps, feeds } = gatewayAt({}, [{ text: 'Hel', marks: 2 }]);
    const reached = reachCursor({ ...START, run: RUN, at: 5, marks: 2 }, deps);
    const refused = expect(reached).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await vi.advanceTimersByTimeAsync(2_000);
    await refused;
    expect(feeds[0]?.repair).toHaveBeenCalledTimes(10);
  });

  it.each([
    ['entries that were never there', { log: 99 }, true],
    ['an end that was never there', { end: 99 }, true],
    ['a run that nobody knows', { run: RUN, at: 5 }, false],
  ])('does not wait for %s', async (_, since, knowsRun) => {
    const { deps, broker } = gatewayAt({}, []);
    broker.knowsRun = knowsRun;
    const reached = reachCursor({ ...START, ...since }, deps);
    expect(await isWaiting(reached, 100)).toBe(false);
    await reached;
  });
});
