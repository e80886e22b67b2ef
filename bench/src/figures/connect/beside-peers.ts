/** The same connections on peers that check the same tokens, in rounds with Natter's. */
import type { Bench, Measurement } from '../../bench.ts';
import { openChat } from '../../load/chat-socket.ts';
import { inFlight } from '../../load/in-flight.ts';
import { openSocket } from '../../load/open-socket.ts';
import { tokenKeysOf } from '../../load/token-keys.ts';
import type { CoreWatch } from '../../measure/core-watch.ts';
import { medianInterval } from '../../measure/interval.ts';
import { cpuSeconds } from '../../measure/process-meter.ts';
import { quiet } from '../../measure/settled.ts';
import type { Load, Plan } from '../connect.ts';

const OPENING = 32;

interface Side {
  name: string;
  title: string;
  /** Whose CPU counts, together. */
  pids: number[];
  open(): Promise<{ drop(): void }>;
}

interface BesidePeers {
  measurements: Measurement[];
  /** Connections for each core second, by side. */
  rounds: Record<string, number[]>;
}

/** Nothing where no peer keeps connections. Natter is gateway and auth service together here. */
export async function besidePeers(
  bench: Bench,
  load: Load,
  plan: Pick<Plan, 'perRound' | 'rounds' | 'warmUp'>,
  cores: CoreWatch,
): Promise<BesidePeers> {
  const peers = await startPeers(bench, load);
  if (peers.length === 0) return { measurements: [], rounds: {} };
  const natter: Side = {
    name: 'natter',
    title: 'Natter',
    pids: [load.gateway, load.auth],
    open: () => openChat({ port: load.port, token: load.token() }),
  };
  const sides = [natter, ...peers];
  for (let index = 0; index < plan.warmUp; index += 1)
    for (const side of sides) await round(side, plan.perRound, null);
  const rounds: Record<string, number[]> = Object.fromEntries(sides.map(({ name }) => [name, []]));
  for (let index = 0; index < plan.rounds; index += 1) {
    // A B C, C B A: what drifts during the run meets all alike.
    for (const side of index % 2 === 0 ? sides : sides.toReversed())
      rounds[side.name]?.push(await round(side, plan.perRound, cores));
    bench.say(`beside peers: round ${index + 1} of ${plan.rounds}`);
  }
  const own = rounds.natter as number[];
  const measurements = [
    row('whole', 'connects per core second of gateway and auth, distinct tokens', '/s', own),
    ...peers.flatMap(({ name, title }) => {
      const theirs = rounds[name] as number[];
      const ratios = own.map((value, index) => value / (theirs[index] as number));
      return [
        row(name, `the same, ${title}`, '/s', theirs),
        row(`vs-${name}`, `Natter ÷ ${title}, per round`, '×', ratios),
      ];
    }),
  ];
  return { measurements, rounds };
}

async function startPeers(bench: Bench, { stack, token }: Load): Promise<Side[]> {
  const able = bench.peers.filter(({ startSockets }) => startSockets !== undefined);
  if (able.length === 0) return [];
  const jwks = await tokenKeysOf(stack);
  const sides: Side[] = [];
  for (const { name, title, startSockets } of able) {
    const { pids, port, entrance } = await (startSockets as NonNullable<typeof startSockets>)(bench, jwks);
    const open = () =>
      openSocket({ port, ...entrance(token(), null), onData: () => undefined, onLost: () => undefined });
    sides.push({ name, title, pids, open });
  }
  return sides;
}

/** Opens connections as fast as they are accepted; dropping them is not measured. */
async function round({ pids, open }: Side, count: number, cores: CoreWatch | null): Promise<number> {
  const used = () => pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  const sockets: { drop(): void }[] = [];
  const stop = cores?.start();
  const before = used();
  await inFlight(count, OPENING, async () => void sockets.push(await open()));
  const perCoreSecond = count / (used() - before);
  stop?.();
  for (const socket of sockets) socket.drop();
  for (const pid of pids) await quiet(pid);
  return perCoreSecond;
}

function row(what: string, label: string, unit: string, values: number[]): Measurement {
  const { median, ...interval } = medianInterval(values);
  return { id: `connect.${what}`, label, value: median, unit, interval };
}
