/** The tables of docs/capacity.md. */
import { short } from '../report/table.ts';
import { count, markdown } from '../simulate/tables.ts';
import { type Assumptions, PRICES, SIZING, WIRE, WORKLOAD } from './assumptions.ts';
import { type Limit, limitsOf } from './limits.ts';
import { type Plan, planFor, type Tier } from './plan.ts';
import { SIZES } from './sizes.ts';
import { UNIT_COSTS, type UnitCostFile, type UnitCostName, type UnitCosts } from './unit-costs.ts';

type Rows = readonly (readonly string[])[];

/** Name, value and meaning; the name is that in assumptions.ts. */
export function assumptionTable(group: 'workload' | 'sizing' | 'wire' | 'prices'): string {
  const all = { workload: WORKLOAD, sizing: SIZING, wire: WIRE, prices: PRICES }[group];
  const rows = Object.entries(all).map(([name, { value, unit, about }]) => [
    `| ${about} | ${plain(value)}${unit === '' ? '' : ` ${unit}`} | \`${name}\` |`,
  ]);
  return ['| | assumed | |', '| --- | ---: | --- |', ...rows.flat()].join('\n');
}

export function costTable({ costs }: UnitCostFile): string {
  const rows = (Object.keys(UNIT_COSTS) as UnitCostName[]).map((name) => {
    const { id, value, unit, low, high, commit, size } = costs[name];
    const interval = low === undefined || high === undefined ? '' : `${short(low)} – ${short(high)}`;
    return `| ${UNIT_COSTS[name].about} | ${short(value)} ${unit} | ${interval} | \`${id}\` | ${commit}, ${size} |`;
  });
  return [
    '| | measured | 95% interval | measurement | of |',
    '| --- | ---: | ---: | --- | --- |',
    ...rows,
  ].join('\n');
}

export function demandTable(costs: UnitCosts, given: Assumptions): string {
  return bySize(costs, given, [
    ['answers under way', ({ demand }) => count(demand.runs)],
    ['questions/s', ({ demand }) => plain(demand.questions)],
    ['tokens/s', ({ demand }) => count(demand.tokens)],
    ['frames to clients/s', ({ demand }) => count(demand.tokenDeliveries + demand.roomDeliveries)],
    ['new connections/s', ({ demand }) => plain(demand.connects)],
    ['uploads, MB/s', ({ demand }) => plain(demand.uploadMb)],
    ['conversations watched', ({ demand }) => count(demand.conversations)],
    ['to clients, Gbit/s', ({ traffic }) => gigabits(traffic.clientOut)],
    ['from clients, Gbit/s', ({ traffic }) => gigabits(traffic.clientIn)],
    ['into brokers, Gbit/s', ({ traffic }) => gigabits(traffic.brokerIn)],
    ['out of brokers, Gbit/s', ({ traffic }) => gigabits(traffic.brokerOut)],
  ]);
}

export function planTable(costs: UnitCosts, given: Assumptions): string {
  const tier = ({ pods, cores, gb }: Tier) => `${count(pods)} × ${cores} vCPU, ${gb} GB`;
  const money = (value: number) => (value < 10 ? value.toFixed(1) : count(value));
  return bySize(costs, given, [
    ['gateways', ({ gateways }) => tier(gateways)],
    ['decided by', ({ gateways }) => gateways.because],
    ['agents', ({ agents }) => tier(agents)],
    ['decided by', ({ agents }) => agents.because],
    ['auth', ({ auth }) => tier(auth)],
    ['decided by', ({ auth }) => auth.because],
    ['uploads', ({ uploads }) => tier(uploads)],
    ['NATS nodes', ({ brokers }) => tier(brokers)],
    ['decided by', ({ brokers }) => brokers.because],
    ['partitions of EVENTS', ({ partitions }) => count(partitions.EVENTS)],
    ['partitions of MESSAGES', ({ partitions }) => count(partitions.MESSAGES)],
    ['partitions of TURNS', ({ partitions }) => count(partitions.TURNS)],
    ['partitions of `runs`', ({ partitions }) => count(partitions.runs)],
    ['transcripts on disk, GB, one copy', ({ diskGb }) => count(diskGb)],
    ['a month: CPU', ({ cost }) => money(cost.cpu)],
    ['memory', ({ cost }) => money(cost.memory)],
    ['disk', ({ cost }) => money(cost.disk)],
    ['egress', ({ cost }) => money(cost.egress)],
    ['**a month, all**', ({ cost }) => `**${money(cost.total)}**`],
    ['for 1,000 connections', ({ cost, demand }) => ((cost.total * 1_000) / demand.sockets).toFixed(2)],
  ]);
}

/** Soonest first, and which sizes are beyond it. */
export function limitTable(costs: UnitCosts, given: Assumptions): string {
  const rows = limitsOf(costs, given).map(
    ({ what, sockets, number, effect, remedy }) =>
      `| ${what} | ${rounded(sockets)} | ${number} | ${effect} | ${remedy} |`,
  );
  return [
    '| bound | reached at | the number | what happens | remedy |',
    '| --- | ---: | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

/** One line for each size: what of today's design breaks, soonest first, and the number that says so. */
export function breaksFirst(costs: UnitCosts, given: Assumptions): string {
  const limits = limitsOf(costs, given);
  const at = ({ what, sockets }: Limit) => `${what} (reached at ${rounded(sockets)})`;
  return SIZES.map((size) => {
    const broken = limits.filter(({ sockets }) => sockets < size);
    const [first, ...rest] = broken;
    if (first === undefined) return `- **${count(size)}**: nothing; next is that ${at(limits[0] as Limit)}.`;
    const more = rest.length === 0 ? '' : ` Then: ${rest.map(at).join('; ')}.`;
    return `- **${count(size)}**: ${at(first)}, as ${first.number}: ${first.effect}.${more}`;
  }).join('\n');
}

function bySize(
  costs: UnitCosts,
  given: Assumptions,
  lines: readonly (readonly [string, (plan: Plan) => string])[],
): string {
  const plans = SIZES.map((size) => planFor(size, costs, given));
  const rows: Rows = [
    ['connections', ...SIZES.map(count)],
    ...lines.map(([label, of]) => [label, ...plans.map(of)]),
  ];
  return markdown(rows);
}

function gigabits(megabits: number): string {
  return short(megabits / 1_000);
}

/** Whole where it is large. */
function plain(value: number): string {
  return value >= 100 ? count(value) : String(Number(value.toPrecision(3)));
}

/** Two digits: no more is known. */
function rounded(value: number): string {
  return count(Number(value.toPrecision(2)));
}
