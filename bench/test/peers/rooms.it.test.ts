/** Each peer's room: everybody gets what is said, once, and nothing is left running. */
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { startWatchers } from '../../src/load/watchers.ts';
import type { RoomPeer } from '../../src/peers/peer.ts';
import { PEERS } from '../../src/peers/registry.ts';
import { runBench } from './run-bench.ts';

const WATCHERS = 6;
/** Longer than 125 bytes, so that the length of a frame has the form that the figure's have. */
const TEXT = 'token01 '.repeat(32);

const rooms = PEERS.filter(({ startRoom }) => startRoom !== undefined);

/** A process that has ended has no program any more, even as a zombie. */
const runs = (pid: number) => existsSync(`/proc/${pid}/exe`);

describe.each(rooms)('a room of $title', (peer) => {
  it('gives each text to each watcher once, and ends with the figure', async ({ skip }) => {
    const why = peer.missing();
    skip(why !== null, why ?? '');
    let room: RoomPeer | undefined;
    await runBench(async (bench) => {
      room = (await peer.startRoom?.(bench)) as RoomPeer;
      const { port, entrances } = room;
      const watchers = await startWatchers(bench, peer.title);
      await watchers({ type: 'open', port, entrances, count: WATCHERS });
      await watchers({ type: 'count', ...room.delivery(TEXT) });
      await room.say(TEXT, 1);
      await watchers({ type: 'wait', deliveries: WATCHERS });
      await room.say(TEXT, 16);
      // Fails when there are more, or frames of another length in their place.
      await watchers({ type: 'wait', deliveries: 17 * WATCHERS });
    });
    const { pids, helpers } = room as RoomPeer;
    expect([...pids, ...Object.values(helpers)].filter(runs)).toEqual([]);
  });
});
