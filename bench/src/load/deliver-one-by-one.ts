/** A round of a quiet room: the next message is said when everybody has the one before. */
import type { CoreWatch } from '../measure/core-watch.ts';
import type { BenchRoom } from './bench-room.ts';
import type { Watchers } from './watchers.ts';

export interface WatchedRoom {
  room: BenchRoom;
  watchers: Watchers;
  /** Of the frame in which a watcher gets the text. */
  frameBytes: number;
}

interface Work {
  text: string;
  messages: number;
  /** Those who read. */
  watchers: number;
  /** CPU seconds so far of what is measured. */
  cpu(): number;
}

/** Returns CPU microseconds for each delivery; the first message of the run is not counted. */
export async function deliverOneByOne(
  { room, watchers, frameBytes }: WatchedRoom,
  { text, messages, watchers: count, cpu }: Work,
  cores: CoreWatch | null,
): Promise<number> {
  await watchers({ type: 'count', bytes: frameBytes, coalesced: false });
  const run = room.run();
  await run.begin();
  await run.say(text);
  await watchers({ type: 'wait', deliveries: count });
  const stop = cores?.start();
  const before = cpu();
  for (let said = 1; said <= messages; said += 1) {
    await run.say(text);
    await watchers({ type: 'wait', deliveries: (1 + said) * count });
  }
  const micros = ((cpu() - before) * 1e6) / (messages * count);
  stop?.();
  await run.end();
  return micros;
}
