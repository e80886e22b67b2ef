/** How long a frame takes through the broker to a service and back, against the bare minimum of it. */
import type { Bench, Figure, FigureResult, Measurement, Size } from '../bench.ts';
import { EchoSockets } from '../load/echo-sockets.ts';
import { person } from '../load/person.ts';
import { CoreWatch } from '../measure/core-watch.ts';
import { medianInterval } from '../measure/interval.ts';
import { cpuSeconds } from '../measure/process-meter.ts';
import { type Distribution, distribution, joined } from '../measure/samples.ts';
import { startRawEcho } from '../peers/raw-echo.ts';
import { startMeasuredStack } from '../stack.ts';

interface Plan {
  rounds: number;
  /** Echoes of one round. */
  echoes: number;
  warmUp: number;
}

const PLANS: Record<Size, Plan> = {
  tiny: { rounds: 2, echoes: 50, warmUp: 1 },
  quick: { rounds: 6, echoes: 300, warmUp: 5 },
  full: { rounds: 21, echoes: 1_000, warmUp: 6 },
};
/** Of each side, used in turn. */
const SOCKETS = 16;
/** Frames a second: the load's core is then a third busy, and nothing waits for it. */
const RATE = 800;
/** Before the measured rounds as many times as many, in the same time: code that has echoed little is not optimised. */
const WARM_UP_TIMES = 4;

const SIDES = ['natter', 'raw'] as const;
type SideName = (typeof SIDES)[number];

interface Side {
  pid: number;
  sockets: EchoSockets;
}

interface Round extends Distribution {
  side: SideName;
  cpuMicros: number;
}

export const echo: Figure = {
  name: 'echo',
  title: 'Echo through the broker',
  async run(bench): Promise<FigureResult> {
    const plan = PLANS[bench.size];
    const sides = await prepare(bench);
    const cores = new CoreWatch();
    for (let warm = 0; warm < plan.warmUp; warm += 1)
      for (const name of SIDES)
        await sides[name].sockets.echo(plan.echoes * WARM_UP_TIMES, RATE * WARM_UP_TIMES);
    const rounds: Round[] = [];
    const samples: Record<SideName, Float64Array[]> = { natter: [], raw: [] };
    const late: Float64Array[] = [];
    for (let index = 0; index < plan.rounds; index += 1)
      for (const name of index % 2 === 0 ? SIDES : SIDES.toReversed()) {
        const { pid, sockets } = sides[name];
        const stop = cores.start();
        const cpu = cpuSeconds(pid);
        const { micros, lateMicros } = await sockets.echo(plan.echoes, RATE);
        const cpuMicros = ((cpuSeconds(pid) - cpu) * 1e6) / plan.echoes;
        stop();
        samples[name].push(micros);
        late.push(lateMicros);
        rounds.push({ side: name, cpuMicros, ...distribution(Float64Array.from(micros)) });
      }
    const all = { natter: distribution(joined(samples.natter)), raw: distribution(joined(samples.raw)) };
    const lateness = distribution(joined(late));
    return {
      measurements: [
        time('p50', 'frame to a service and back, p50', all.natter, rounds, 'natter', 'p50'),
        time('p99', 'the same, p99', all.natter, rounds, 'natter', 'p99'),
        time('raw-p50', 'raw uWebSockets.js and a NATS request, p50', all.raw, rounds, 'raw', 'p50'),
        time('raw-p99', 'the same, p99', all.raw, rounds, 'raw', 'p99'),
        ratio('ratio-p50', 'Natter ÷ raw, p50 per round', rounds, 'p50'),
        ratio('ratio-p99', 'the same, p99', rounds, 'p99'),
        ratio('ratio-cpu', 'the same, CPU of the server for an echo', rounds, 'cpuMicros'),
        ms('late-p99', 'the load sending late, p99, in none of these', lateness.p99),
      ],
      cores: cores.use(),
      details: { plan, rounds, micros: all, latenessMicros: lateness },
    };
  },
};

async function prepare(bench: Bench): Promise<Record<SideName, Side>> {
  const stack = await startMeasuredStack(bench, 'gateway');
  const gateway = stack.gateways[0];
  if (gateway === undefined) throw new Error('the stack has no gateway');
  const raw = await startRawEcho(bench);
  const token = await stack.token(person(0));
  // A token that is shown again goes to the auth service, which answers from its memory.
  const frame = JSON.stringify({ type: 'auth', token });
  const open = async (port: number, path: string, answer: string) => {
    const sockets = await EchoSockets.open({ port, path, count: SOCKETS, frame, answer });
    bench.defer(() => sockets.drop());
    return sockets;
  };
  const natterPort = gateway.ports.http as number;
  return {
    natter: { pid: gateway.pid, sockets: await open(natterPort, '/ws/chat', '{"type":"auth_success"') },
    raw: { pid: raw.pid, sockets: await open(raw.port, '/', '{"type":"auth"') },
  };
}

function time(
  id: string,
  label: string,
  all: Distribution,
  rounds: Round[],
  side: SideName,
  what: 'p50' | 'p99',
): Measurement {
  const { median: _, ...interval } = medianInterval(
    rounds.filter((round) => round.side === side).map((round) => round[what] / 1_000),
  );
  return { ...ms(id, label, all[what]), interval };
}

function ratio(id: string, label: string, rounds: Round[], what: 'p50' | 'p99' | 'cpuMicros'): Measurement {
  const of = (side: SideName) => rounds.filter((round) => round.side === side).map((round) => round[what]);
  const raw = of('raw');
  const { median, ...interval } = medianInterval(
    of('natter').map((value, at) => value / (raw[at] as number)),
  );
  // One stray wake-up moves a p99 of a round by half: no guard.
  const guard = what === 'p99' ? {} : { better: 'lower' as const };
  return { id: `echo.${id}`, label, value: median, unit: '×', interval, ...guard };
}

function ms(id: string, label: string, micros: number): Measurement {
  return { id: `echo.${id}`, label, value: micros / 1_000, unit: 'ms' };
}
