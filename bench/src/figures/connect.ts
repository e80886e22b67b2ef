/** What a connection with a signed token costs, and how long a person waits for it. */
import type { Stack } from '@natter/testkit';
import type { Bench, Figure, FigureResult, Measurement, Size } from '../bench.ts';
import { openChat } from '../load/chat-socket.ts';
import { inFlight } from '../load/in-flight.ts';
import { openLoop } from '../load/open-loop.ts';
import { person } from '../load/person.ts';
import { monotonicMicros } from '../measure/clock.ts';
import { CoreWatch } from '../measure/core-watch.ts';
import { medianInterval } from '../measure/interval.ts';
import { cpuSeconds } from '../measure/process-meter.ts';
import { Samples } from '../measure/samples.ts';
import { quiet } from '../measure/settled.ts';
import { type RawPeer, startRawPeer } from '../peers/raw-sockets.ts';
import { startMeasuredStack } from '../stack.ts';
import { besidePeers } from './connect/beside-peers.ts';

export interface Plan {
  /** Connections of one round; 600 at 5,000 a core second are 0.12 s of CPU. */
  perRound: number;
  rounds: number;
  /** Rounds before that: optimised code for all of the path is there after about 10,000 connections. */
  warmUp: number;
  /** Tokens, used in turn. The auth service remembers a third: each is verified anew. */
  tokens: number;
  latencySamples: number;
}

const PLANS: Record<Size, Plan> = {
  tiny: { perRound: 50, rounds: 2, warmUp: 1, tokens: 60, latencySamples: 100 },
  quick: { perRound: 500, rounds: 6, warmUp: 7, tokens: 1_500, latencySamples: 1_000 },
  full: { perRound: 1_500, rounds: 15, warmUp: 5, tokens: 6_000, latencySamples: 15_000 },
};
const OPENING = 32;
/** Connections a second while latency is measured. */
const LATENCY_RATE = 500;
const UNFINISHED_LIMIT = 5_000;

const KINDS = ['distinct', 'reused', 'raw'] as const;
type Kind = (typeof KINDS)[number];

interface Round {
  kind: Kind;
  perCoreSecond: number;
  authMicros: number;
  seconds: number;
}

export const connect: Figure = {
  name: 'connect',
  title: 'Connect with a signed token',
  async run(bench): Promise<FigureResult> {
    const plan = PLANS[bench.size];
    const cores = new CoreWatch();
    const load = await prepare(bench, plan);
    for (let index = 0; index < plan.warmUp; index += 1)
      for (const kind of KINDS) await round(load, kind, plan.perRound, null);
    const rounds: Round[] = [];
    for (let index = 0; index < plan.rounds; index += 1) {
      // A B C, C B A: what drifts during the run meets all alike.
      for (const kind of index % 2 === 0 ? KINDS : KINDS.toReversed())
        rounds.push(await round(load, kind, plan.perRound, cores));
      bench.say(`round ${index + 1} of ${plan.rounds}`);
    }
    const beside = await besidePeers(bench, load, plan, cores);
    bench.say(`${plan.latencySamples} connections at ${LATENCY_RATE} a second`);
    const latency = await measureLatency(load, plan, cores);
    return {
      measurements: [
        ...KINDS.map((kind) => perCoreSecond(kind, rounds)),
        ratio(rounds),
        authCost('distinct', rounds),
        authCost('reused', rounds),
        {
          id: 'connect.p50',
          label: `connect to auth_success p50 at ${LATENCY_RATE}/s`,
          value: latency.p50 / 1_000,
          unit: 'ms',
        },
        {
          id: 'connect.p99',
          label: 'the same, p99',
          value: latency.p99 / 1_000,
          unit: 'ms',
          why: 'auth, broker and load share a core; the gateway has the other',
        },
        ...beside.measurements,
      ],
      cores: cores.use(),
      details: { plan, rounds, beside: beside.rounds, latencyMicros: latency },
    };
  },
};

export interface Load {
  stack: Stack;
  port: number;
  gateway: number;
  auth: number;
  raw: RawPeer;
  /** The next distinct token. */
  token(): string;
  reused: string;
}

async function prepare(bench: Bench, plan: Plan): Promise<Load> {
  const stack = await startMeasuredStack(bench, 'gateway', {
    NATTER_AUTH_VERIFIED_TOKENS: String(Math.floor(plan.tokens / 3)),
  });
  const raw = await startRawPeer(bench);
  bench.say(`signing ${plan.tokens} tokens`);
  const tokens: string[] = [];
  for (let user = 0; user < plan.tokens; user += 1) tokens.push(await stack.token(person(user)));
  let next = 0;
  return {
    stack,
    port: stack.gateways[0]?.ports.http as number,
    gateway: stack.gateways[0]?.pid as number,
    auth: stack.auth.pid,
    raw,
    token: () => tokens[next++ % tokens.length] as string,
    reused: await stack.token(person(-1)),
  };
}

/** Opens connections as fast as they are accepted; dropping them is not measured. */
async function round(load: Load, kind: Kind, count: number, cores: CoreWatch | null): Promise<Round> {
  const pid = kind === 'raw' ? load.raw.pid : load.gateway;
  const sockets: { drop(): void }[] = [];
  const stop = cores?.start();
  const [cpu, authCpu, begin] = [cpuSeconds(pid), cpuSeconds(load.auth), performance.now()];
  await inFlight(count, OPENING, async () => {
    const token = kind === 'distinct' ? load.token() : load.reused;
    sockets.push(kind === 'raw' ? await load.raw.open() : await openChat({ port: load.port, token }));
  });
  const result = {
    kind,
    perCoreSecond: count / (cpuSeconds(pid) - cpu),
    authMicros: ((cpuSeconds(load.auth) - authCpu) * 1e6) / count,
    seconds: (performance.now() - begin) / 1_000,
  };
  stop?.();
  for (const socket of sockets) socket.drop();
  await quiet(pid);
  return result;
}

/** Open loop: from the intended start, TCP connect included, to auth_success. Distinct tokens. */
async function measureLatency(load: Load, plan: Plan, cores: CoreWatch) {
  const samples = new Samples();
  const stop = cores.start();
  await openLoop(
    { count: plan.latencySamples, rate: LATENCY_RATE, limit: UNFINISHED_LIMIT },
    async (_index, intendedMicros) => {
      const socket = await openChat({ port: load.port, token: load.token() });
      samples.add(monotonicMicros() - intendedMicros);
      socket.drop();
    },
  );
  stop();
  return samples.distribution();
}

const LABELS: Record<Kind, string> = {
  distinct: 'connects per gateway core second, distinct tokens',
  reused: 'the same, one token reused',
  raw: 'upgrades per core second, raw uWebSockets.js',
};

function perCoreSecond(kind: Kind, rounds: Round[]): Measurement {
  const { median, ...interval } = medianInterval(of(kind, rounds).map((round) => round.perCoreSecond));
  return {
    id: `connect.${kind}`,
    label: LABELS[kind],
    value: median,
    unit: '/s',
    interval,
  };
}

function ratio(rounds: Round[]): Measurement {
  const raw = of('raw', rounds);
  const { median, ...interval } = medianInterval(
    of('reused', rounds).map(
      ({ perCoreSecond }, index) => perCoreSecond / (raw[index] as Round).perCoreSecond,
    ),
  );
  // Of the reused token: its connections are those that are optimised first.
  return {
    id: 'connect.ratio',
    label: 'one token reused ÷ raw, per round',
    value: median,
    unit: '×',
    interval,
    better: 'higher',
  };
}

function authCost(kind: Kind, rounds: Round[]): Measurement {
  const { median, ...interval } = medianInterval(of(kind, rounds).map((round) => round.authMicros));
  return {
    id: `connect.auth-${kind}`,
    label: `auth CPU per connect, ${kind} token`,
    value: median,
    unit: 'µs',
    interval,
  };
}

function of(kind: Kind, rounds: Round[]): Round[] {
  return rounds.filter((round) => round.kind === kind);
}
