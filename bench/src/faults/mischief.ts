/** What is done to a stack while people talk. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceProcess, Stack } from '@natter/testkit';
import type { Xorshift } from '../fuzz/xorshift.ts';
import type { Load } from './load.ts';

export interface Blow {
  what: string;
  /** By `performance.now`. */
  atMs: number;
  /** Acknowledgements before it. */
  after: number;
}

export interface MischiefContext {
  stack: Stack;
  load: Load;
  random: Xorshift;
  blows: Blow[];
}

/** Something that can be killed and started again. */
export interface Victim {
  name: string;
  kill(): Promise<void>;
  restart(): Promise<void>;
}

/** Longer than AckWait, 6 s, so that another agent takes its runs over. */
const PAUSED_MS = 7_500;
/** A kill comes this long after the acknowledgement that was waited for, at most. */
const LATE_MS = 40;

export function victimOf(service: ServiceProcess): Victim {
  return { name: service.name, kill: () => service.kill(), restart: () => service.restart() };
}

/** Kills one after the other with SIGKILL, each at a random acknowledgement of its share of `during`. */
export async function kills(
  { load, random, blows }: MischiefContext,
  victims: readonly Victim[],
  count: number,
  during: number,
): Promise<void> {
  const share = during / count;
  for (let kill = 0; kill < count; kill += 1) {
    const at = Math.floor(share * kill + share * (0.1 + 0.7 * (random.below(1_000) / 1_000)));
    await load.untilCount(Math.max(at, load.count + 1));
    await sleep(random.below(LATE_MS));
    const victim = victims[kill % victims.length];
    if (victim === undefined) throw new Error('there is nobody to kill');
    blows.push({ what: `${victim.name} killed`, atMs: performance.now(), after: load.count });
    await victim.kill();
    await victim.restart();
  }
}

/** Stops an agent for longer than the broker waits for a sign of life, then lets it go on. */
export async function pause(
  { load, random, blows }: MischiefContext,
  service: ServiceProcess,
  during: number,
): Promise<void> {
  await load.untilCount(Math.floor(during * (0.2 + 0.5 * (random.below(1_000) / 1_000))));
  blows.push({ what: `${service.name} stopped`, atMs: performance.now(), after: load.count });
  service.pause();
  await sleep(PAUSED_MS);
  service.resume();
}

/** The model is slow, breaks off, fails, talks nonsense: each for a while, for some of what it is asked. */
export async function modelFaults(
  { stack, load, random, blows }: MischiefContext,
  rounds: number,
  during: number,
): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    await load.untilCount(Math.max(Math.floor((during * round) / rounds), load.count + 1));
    const kind = FAULTS[round % FAULTS.length] ?? 'cut';
    blows.push({ what: `model: ${kind}`, atMs: performance.now(), after: load.count });
    await stack.demo.behave({ fault: faultOf(kind, random) });
    await sleep(MODEL_FAULT_MS);
  }
  await stack.demo.behave({ fault: { kind: 'none' } });
}

const MODEL_FAULT_MS = 700;
const FAULTS = ['cut', 'status', 'slow', 'garbage'] as const;

function faultOf(kind: (typeof FAULTS)[number], random: Xorshift) {
  // Not all requests: those that are spared show that the others harm nobody.
  const some = { times: 3 + random.below(4) };
  const afterTokens = random.below(6);
  if (kind === 'status') return { kind, status: random.pick([429, 500, 503]), ...some };
  if (kind === 'slow') return { kind, firstTokenMs: 400, tokensPerSecond: 15, ...some };
  return { kind, afterTokens, ...some };
}
