/** The loads of the figure again, on Natter and on peers in turn. */
import type { Stack } from '@natter/testkit';
import type { Bench, Measurement } from '../../bench.ts';
import { type ChatSide, chatsInTurn, type Turn, type TurnsPlan } from '../../load/chats-in-turn.ts';
import { medianInterval } from '../../measure/interval.ts';
import type { TokenServer } from '../../token-server.ts';

export type Turns = Omit<TurnsPlan, 'streams' | 'tokensPerSecond'>;

interface Loads {
  /** By name; rows of `full` go without it. */
  streams: Record<string, number>;
  tokensPerSecond: number;
  turns: Turns;
}

interface BesidePeers {
  measurements: Measurement[];
  /** By load and side. */
  turns: Record<string, Record<string, Turn[]>>;
}

/** Nothing where no peer has a chat. */
export async function besidePeers(
  bench: Bench,
  stack: Stack,
  model: TokenServer,
  { streams: loads, tokensPerSecond, turns: plan }: Loads,
): Promise<BesidePeers> {
  const natter: ChatSide = {
    name: 'natter',
    title: 'Natter',
    port: stack.gateways[0]?.ports.http as number,
    pids: [stack.agents[0]?.pid, stack.gateways[0]?.pid, stack.nats.pid, stack.auth.pid] as number[],
    token: (sub) => stack.token({ sub }),
  };
  const peers = await startPeers(bench, model);
  const measurements: Measurement[] = [];
  const turns: BesidePeers['turns'] = {};
  if (peers.length === 0) return { measurements, turns };
  for (const [load, streams] of Object.entries(loads)) {
    const found = await chatsInTurn(bench, model, [natter, ...peers], { ...plan, streams, tokensPerSecond });
    turns[load] = Object.fromEntries(found);
    const turnsOf = ({ name }: ChatSide) => found.get(name) as Turn[];
    const p99s = (side: ChatSide) => turnsOf(side).map(({ latency }) => latency.p99 / 1_000);
    const cpus = (side: ChatSide) => turnsOf(side).map(({ cpuMicros }) => cpuMicros);
    const own = p99s(natter);
    const prefix = load === 'full' ? '' : `${load}-`;
    const id = `latency.${prefix}p99`;
    const cpu = `latency.${prefix}cpu`;
    const label = `${streams} streams, in turn with peers: p99`;
    measurements.push(
      row(`${id}-in-turn`, label, 'ms', own),
      row(`${cpu}-in-turn`, 'CPU per token of agent, gateway, broker and auth', 'µs', cpus(natter)),
      ...peers.flatMap((peer) => {
        const theirs = p99s(peer);
        const ratios = own.map((p99, round) => p99 / (theirs[round] as number));
        return [
          row(`${id}-${peer.name}`, `p99, ${peer.title}`, 'ms', theirs),
          row(`${cpu}-${peer.name}`, `CPU per token, ${peer.title}`, 'µs', cpus(peer)),
          row(`${id}-vs-${peer.name}`, `p99, Natter ÷ ${peer.title}, per round`, '×', ratios),
        ];
      }),
    );
  }
  return { measurements, turns };
}

async function startPeers(bench: Bench, model: TokenServer): Promise<ChatSide[]> {
  const peers: ChatSide[] = [];
  for (const { name, title, startChat } of bench.peers)
    if (startChat !== undefined) peers.push({ name, title, ...(await startChat(bench, model.baseUrl)) });
  return peers;
}

function row(id: string, label: string, unit: string, values: number[]): Measurement {
  const { median, ...interval } = medianInterval(values);
  return { id, label, value: median, unit, interval };
}
