/** Fuzzes a real gateway over real sockets, on every wire at once, with somebody honest beside. */
import type { Stack } from '@natter/testkit';
import type { Bench } from '../bench.ts';
import { memory } from '../measure/process-meter.ts';
import { startMeasuredStack } from '../stack.ts';
import { ControlClient } from './control-client.ts';
import { goldenFrames } from './golden-frames.ts';
import { Mutator } from './mutator.ts';
import { SocketFuzzer } from './socket-fuzzer.ts';
import { DIALECT_NAMES } from './targets/registry.ts';
import { Xorshift } from './xorshift.ts';

type DialectName = (typeof DIALECT_NAMES)[number];

/** Where a wire is, with a token that it takes. */
const PATHS: Record<DialectName, (token: string) => string> = {
  'fastchat-v1': (token) => `/chat/user?access_token=${token}`,
  'chat-v1': (token) => `/ws/chat?token=${token}`,
  'session-v1': (token) => `/ws/fuzzed?token=${token}`,
  'logs-v1': (token) => `/ws/logs?token=${token}`,
  'rooms-v1': (token) => `/api/v1/ws/ws?token=${token}&seq=1`,
};
/** Sockets of each wire, each of another user: what one of them is refused, another may do. */
const SOCKETS = 4;
const LOOK_EVERY_MS = 500;
const KEPT_LINES = 20;

export interface FuzzedGateway {
  /** By wire. */
  frames: Record<string, number>;
  /** How connections ended, by wire. */
  ends: Record<string, Record<string, number>>;
  /** What no frame may bring about: lines of level error or fatal, answers that are missing, its end. */
  faults: string[];
  control: { answered: number; slowestMs: number };
  /** Bytes of the gateway: before, at most, and when all was read. */
  rss: { before: number; most: number; after: number };
  seconds: number;
}

/** `frames` of each wire. */
export async function fuzzGateway(bench: Bench, frames: number): Promise<FuzzedGateway> {
  const stack = await startMeasuredStack(bench, 'gateway', {
    // Whatever is said then should not have been said.
    LOG_LEVEL: 'error',
    NATTER_SESSION_RATE_LIMIT: '1000000',
  });
  await stack.demo.behave({ tokensPerSecond: 0, firstTokenMs: 0, answer: 'echo' });
  const gateway = stack.gateways[0];
  if (gateway === undefined) throw new Error('the stack has no gateway');
  const { pid, ports } = gateway;
  const control = await ControlClient.begin(ports.http as number, await stack.token({ sub: 'honest' }));
  const rss = { before: memory(pid).rss, most: 0, after: 0 };
  const look = () => {
    rss.most = Math.max(rss.most, memory(pid).rss);
  };
  const looking = setInterval(look, LOOK_EVERY_MS);
  bench.defer(() => clearInterval(looking));
  const begin = performance.now();
  const ended = gateway.ended.then(({ code, signal }) => `the gateway ended with ${signal ?? code}`);
  const wires = await Promise.all(DIALECT_NAMES.map((name) => wireOf(bench, stack, name, frames)));
  const all = Promise.all(wires.flatMap(({ fuzzers }) => fuzzers.map((fuzzer) => fuzzer.run())));
  const died = await Promise.race([all.then(() => null), ended]);
  clearInterval(looking);
  const seconds = (performance.now() - begin) / 1_000;
  if (died === null) {
    await control.end();
    look();
    rss.after = memory(pid).rss;
  }
  const faults = [
    ...(died === null ? [] : [died, gateway.lastWords(5)]),
    ...control.faults.map((fault) => `the honest client: ${fault}`),
    ...wires.flatMap(({ name, fuzzers }) =>
      fuzzers.flatMap((fuzzer) => fuzzer.faults.map((fault) => `${name}: ${fault}`)),
    ),
    ...gateway.lines.filter((line) => /"level":"(?:error|fatal)"|uncaught/i.test(line)).slice(0, KEPT_LINES),
  ];
  const { answered, slowestMs } = control;
  return {
    frames: Object.fromEntries(
      wires.map(({ name, fuzzers }) => [name, sum(fuzzers.map(({ sent }) => sent))]),
    ),
    ends: Object.fromEntries(wires.map(({ name, fuzzers }) => [name, endsOf(fuzzers)])),
    faults,
    control: { answered, slowestMs: Math.round(slowestMs) },
    rss,
    seconds,
  };
}

async function wireOf(bench: Bench, stack: Stack, name: DialectName, frames: number) {
  let left = frames;
  const take = (wanted: number) => {
    const taken = Math.min(wanted, left);
    left -= taken;
    return taken;
  };
  const seeds = goldenFrames(name);
  const fuzzers: SocketFuzzer[] = [];
  for (let socket = 0; socket < SOCKETS; socket += 1) {
    const random = new Xorshift(bench.seed, DIALECT_NAMES.indexOf(name) * SOCKETS + socket);
    const token = await stack.token({ sub: `fuzzer-${name}-${socket}`, roles: ['admin'] });
    const port = stack.gateways[0]?.ports.http as number;
    const mutator = new Mutator(seeds, random);
    fuzzers.push(new SocketFuzzer({ port, path: PATHS[name](token), mutator, random, take }));
  }
  return { name, fuzzers };
}

function endsOf(fuzzers: readonly SocketFuzzer[]): Record<string, number> {
  const ends: Record<string, number> = {};
  for (const fuzzer of fuzzers) for (const [how, count] of fuzzer.ends) ends[how] = (ends[how] ?? 0) + count;
  return ends;
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}
