/** One room on the gateway, on raw uWebSockets.js and on each peer, with their watchers. */
import type { Bench } from '../bench.ts';
import { CORE } from '../measure/cores.ts';
import { cpuSeconds } from '../measure/process-meter.ts';
import type { Delivery, Peer } from '../peers/peer.ts';
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
  /** `natter`, `raw`, or a peer's name. */
  name: string;
  title: string;
  watchers: Watchers;
  /** Watchers that it can have; Infinity where nothing limits them. */
  mostWatchers: number;
  /** CPU seconds so far of the processes under test. */
  cpu(): number;
  /** CPU seconds so far of the broker, where there is one. */
  brokerCpu(): number;
  delivery(text: string): Delivery;
  /** Says one before the measured ones; returns what says more. */
  begin(text: string): Promise<(times: number) => Promise<void> | void>;
  end(): Promise<void>;
  /** Lets `count` more watch. */
  open(count: number): Promise<void>;
}

export interface Sides {
  /** Natter first, raw uWebSockets.js second, then the peers. */
  all: readonly Side[];
  /** How long it would take in milliseconds to have so many, by what the last took; 0 when that says little. */
  openTimeMs(watchers: number): number;
  /** Adds watchers on all sides until there are as many, or as many as a side can have. */
  open(watchers: number): Promise<void>;
}

/** Starts them; the watchers of all grow together. */
export async function prepareSides(
  bench: Bench,
  textBytes: readonly number[],
  peers: readonly Peer[] = [],
): Promise<Sides> {
  const natter = await natterSide(bench, textBytes);
  const sides: Side[] = [natter, await rawSide(bench, natter)];
  for (const peer of peers) sides.push(await peerSide(bench, peer));
  let opened = 0;
  let openMs = 0;
  const open = async (watchers: number) => {
    const begin = performance.now();
    for (const side of sides) {
      const have = Math.min(opened, side.mostWatchers);
      await side.open(Math.min(watchers, side.mostWatchers) - have);
    }
    if (watchers - opened >= TELLING) openMs = (performance.now() - begin) / (watchers - opened);
    opened = watchers;
  };
  return { all: sides, openTimeMs: (watchers) => (watchers - opened) * openMs, open };
}

/** The text of so many bytes; a multiple of 8. */
export function textOf(bytes: number): string {
  return 'token01 '.repeat(bytes / 8);
}

interface NatterSide extends Side {
  /** The very frame in which a watcher gets one of the texts. */
  frameOf(text: string): string;
}

async function natterSide(bench: Bench, textBytes: readonly number[]): Promise<NatterSide> {
  const stack = await startMeasuredStack(bench, 'gateway', { WEBSOCKET_HEARTBEAT_INTERVAL: '480' });
  const tokens = await tokensOf(stack, PEOPLE);
  const room = await BenchRoom.open(stack, tokens[0] as string);
  bench.defer(() => room.close());
  const frames = new Map<string, string>();
  for (const bytes of textBytes) frames.set(textOf(bytes), await room.frameOf(textOf(bytes)));
  const frameOf = (text: string) => {
    const frame = frames.get(text);
    if (frame === undefined) throw new Error('a text that was not announced');
    return frame;
  };
  const gateway = stack.gateways[0];
  if (gateway === undefined) throw new Error('the stack has no gateway');
  const entrances = tokens.map((token) => ({ path: roomPath(token), readyMark: JOINED_MARK }));
  const helpers = [stack.auth.pid, stack.nats.pid];
  const watchers = await startWatchers(bench, 'Natter');
  let run = room.run();
  return {
    name: 'natter',
    title: 'Natter',
    watchers,
    mostWatchers: Number.POSITIVE_INFINITY,
    cpu: () => cpuSeconds(gateway.pid),
    brokerCpu: () => cpuSeconds(stack.nats.pid),
    frameOf,
    delivery: (text) => ({ bytes: Buffer.byteLength(frameOf(text)), coalesced: false }),
    begin: async (text) => {
      run = room.run();
      await run.begin();
      await run.say(text);
      return (times) => (times === 1 ? run.say(text) : run.sayAtOnce(text, times));
    },
    end: () => run.end(),
    open: async (count) => {
      // A join is work for auth and broker too: with both cores it is done in half the time.
      for (const pid of helpers) bench.cores.pin(pid, 'any');
      await watchers({ type: 'open', port: gateway.ports.http as number, entrances, count });
      for (const pid of helpers) bench.cores.pin(pid, CORE.load);
    },
  };
}

/** Says the frames of the gateway, so that both send the same bytes. */
async function rawSide(bench: Bench, { frameOf, delivery }: NatterSide): Promise<Side> {
  const room = await startRawRoom(bench);
  const watchers = await startWatchers(bench, 'raw uWebSockets.js');
  const entrances = [{ path: '/watch', readyMark: null }];
  return {
    name: 'raw',
    title: 'raw uWebSockets.js',
    watchers,
    mostWatchers: Number.POSITIVE_INFINITY,
    cpu: () => cpuSeconds(room.pid),
    brokerCpu: () => 0,
    delivery,
    begin: async (text) => {
      const frame = frameOf(text);
      const say = (times: number) => {
        for (let time = 0; time < times; time += 1) room.say(frame);
      };
      say(1);
      return say;
    },
    end: async () => undefined,
    open: async (count) => void (await watchers({ type: 'open', port: room.port, entrances, count })),
  };
}

async function peerSide(bench: Bench, peer: Peer): Promise<Side> {
  const room = await peer.startRoom?.(bench);
  if (room === undefined) throw new Error(`${peer.name} has no rooms`);
  const watchers = await startWatchers(bench, peer.title);
  const { port, entrances } = room;
  const all = (pids: readonly number[]) => pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  return {
    name: peer.name,
    title: peer.title,
    watchers,
    mostWatchers: room.mostWatchers ?? Number.POSITIVE_INFINITY,
    cpu: () => all(room.pids),
    brokerCpu: () => all(Object.values(room.helpers)),
    delivery: (text) => room.delivery(text),
    begin: async (text) => {
      await room.say(text, 1);
      return (times) => room.say(text, times);
    },
    end: async () => undefined,
    open: async (count) => void (await watchers({ type: 'open', port, entrances, count })),
  };
}
