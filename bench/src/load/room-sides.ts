/** One room on the gateway and one on raw uWebSockets.js, with their watchers. */
import type { Bench } from '../bench.ts';
import { CORE } from '../measure/cores.ts';
import { startRawRoom } from '../peers/raw-room.ts';
import { startMeasuredStack } from '../stack.ts';
import { BenchRoom, JOINED_MARK, roomPath, tokensOf } from './bench-room.ts';
import { startWatchers, type Watchers } from './watchers.ts';

/**
 * The sockets belong to these in turn. A join costs the auth service a read for each member, and
 * tells all of them, so 10,000 people would take hours to come; a delivery costs the same.
 */
const PEOPLE = 4;

/** Fewer that open say little of those to come: the first compile the way in. */
const TELLING = 500;

/** Something that takes messages and gives each to all watchers. */
export interface Side {
  pid: number;
  watchers: Watchers;
  /** Says one before the measured ones; returns what says more. */
  begin(text: string, frame: string): Promise<(times: number) => Promise<void> | void>;
  end(): Promise<void>;
}

export interface Sides {
  natter: Side;
  raw: Side;
  /** By the length of the text: the text, and the frame in which watchers get it. */
  frames: Map<number, { text: string; frame: string }>;
  /** How long that would take in milliseconds, by what the last took; 0 when that says little. */
  openTimeMs(watchers: number): number;
  /** Adds watchers on both sides until there are as many. */
  open(watchers: number): Promise<void>;
}

/** Starts both; the watchers of both grow together. */
export async function prepareSides(bench: Bench, textBytes: readonly number[]): Promise<Sides> {
  const stack = await startMeasuredStack(bench, 'gateway', { WEBSOCKET_HEARTBEAT_INTERVAL: '480' });
  const rawRoom = await startRawRoom(bench);
  const tokens = await tokensOf(stack, PEOPLE);
  const room = await BenchRoom.open(stack, tokens[0] as string);
  bench.defer(() => room.close());
  const frames = new Map<number, { text: string; frame: string }>();
  for (const bytes of textBytes) {
    const text = 'token01 '.repeat(bytes / 8);
    frames.set(bytes, { text, frame: await room.frameOf(text) });
  }
  const natter = await natterSide(bench, stack.gateways[0]?.pid as number, room);
  const raw: Side = {
    pid: rawRoom.pid,
    watchers: await startWatchers(bench, 'raw uWebSockets.js'),
    begin: async (_text, frame) => {
      rawRoom.say(frame);
      return (times) => {
        for (let time = 0; time < times; time += 1) rawRoom.say(frame);
      };
    },
    end: async () => undefined,
  };
  const helpers = [stack.auth.pid, stack.nats.pid];
  let opened = 0;
  let openMs = 0;
  const open = async (watchers: number) => {
    const count = watchers - opened;
    opened = watchers;
    const begin = performance.now();
    const port = stack.gateways[0]?.ports.http as number;
    const paths = tokens.map((token) => roomPath(token));
    // A join is work for auth and broker too: with both cores it is done in half the time.
    for (const pid of helpers) bench.cores.pin(pid, 'any');
    await natter.watchers({ type: 'open', port, paths, count, readyMark: JOINED_MARK });
    for (const pid of helpers) bench.cores.pin(pid, CORE.load);
    await raw.watchers({ type: 'open', port: rawRoom.port, paths: ['/watch'], count, readyMark: null });
    if (count >= TELLING) openMs = (performance.now() - begin) / count;
  };
  return { natter, raw, frames, openTimeMs: (watchers) => (watchers - opened) * openMs, open };
}

async function natterSide(bench: Bench, pid: number, room: BenchRoom): Promise<Side> {
  let run = room.run();
  return {
    pid,
    watchers: await startWatchers(bench, 'Natter'),
    begin: async (text) => {
      run = room.run();
      await run.begin();
      await run.say(text);
      return (times) => (times === 1 ? run.say(text) : run.sayAtOnce(text, times));
    },
    end: () => run.end(),
  };
}
