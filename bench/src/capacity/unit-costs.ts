/** The measured costs that plans and simulations are made of: results/unit-costs.json. */
import { existsSync, readFileSync } from 'node:fs';
import type { Report } from '../report/report.ts';

/** By name: the measurement that says it, and what it is here. */
export const UNIT_COSTS = {
  connectionBytes: { id: 'idle.rss', about: 'gateway memory for a connection that is signed in' },
  connectionObjects: { id: 'growth.connection-16', about: 'of it JavaScript objects' },
  roomObjects: {
    id: 'growth.room-16',
    about: 'objects for a connection and a conversation that only it watches',
  },
  gatewayBytes: { id: 'ready.gateway-rss', about: 'memory of an empty gateway process' },
  idleMicros: { id: 'idle.cpu', about: 'gateway CPU for an idle connection, each second' },
  connects: { id: 'connect.distinct', about: 'connections for a core second of the gateway' },
  authDistinct: { id: 'connect.auth-distinct', about: 'auth CPU for a token it has not seen' },
  authReused: { id: 'connect.auth-reused', about: 'auth CPU for a token it has seen' },
  joinGateway: { id: 'growth.join-16', about: 'gateway CPU to connect and join a room' },
  joinAuth: { id: 'growth.join-auth-16', about: 'auth CPU for it' },
  joinBroker: { id: 'growth.join-broker-16', about: 'broker CPU for it' },
  fewDeliveries: { id: 'fanout.10-128', about: 'deliveries for a core second, 10 watchers' },
  manyDeliveries: { id: 'fanout.1000-128', about: 'the same, 1,000 watchers' },
  tokenGateway: {
    id: 'growth.token-gateway-16',
    about: 'gateway CPU for a token to one person, many answers at once',
  },
  tokenAgent: { id: 'growth.token-agent-16', about: 'agent CPU for it, all of a run included' },
  runKib: { id: 'agent.run-rss', about: 'agent memory for an answer under way' },
  tokenBroker: { id: 'growth.token-broker-16', about: 'broker CPU for it, all of a run included' },
  resumeGateway: { id: 'resume-storm.cpu-gateway', about: 'gateway CPU for a connection that resumes' },
  resumeAuth: { id: 'resume-storm.cpu-auth', about: 'auth CPU for it, its token seen before' },
  resumeBroker: { id: 'resume-storm.cpu-broker', about: 'broker CPU for it' },
  uploads: { id: 'upload.binary', about: 'MB for a core second of gateway and uploads service' },
  relayMicros: { id: 'broker.relay', about: 'broker CPU for a message to one service' },
  eventMicros: {
    id: 'broker.event',
    about: 'broker CPU for a batch that is stored in memory and republished',
  },
  eventRate: { id: 'broker.event-rate', about: 'such batches a second, one stream' },
  appendMicros: { id: 'broker.append', about: 'broker CPU for an entry that is on disk before the answer' },
  appendRate: { id: 'broker.append-rate', about: 'such entries a second, one stream' },
  appendStreamsRate: { id: 'broker.append-streams-rate', about: 'the same, four streams on one disk' },
  readMicros: { id: 'broker.read', about: 'broker CPU for a direct get' },
  subscriptionBytes: {
    id: 'broker.subscription',
    about: 'broker memory for a conversation that a gateway watches',
  },
} as const satisfies Record<string, { id: string; about: string }>;

export type UnitCostName = keyof typeof UNIT_COSTS;
export type UnitCosts = Record<UnitCostName, number>;

export interface UnitCost {
  id: string;
  value: number;
  unit: string;
  low?: number;
  high?: number;
  /** When and of what it was measured. */
  startedAt: string;
  commit: string;
  size: string;
}

/** What results/unit-costs.json has. */
export interface UnitCostFile {
  machine: Report['machine'];
  costs: Record<UnitCostName, UnitCost>;
}

/** Takes each cost from the first report that has it; fails with all the ids that none has. */
export function collectUnitCosts(reports: readonly Report[]): UnitCostFile {
  const found = new Map<string, UnitCost>();
  for (const { figures, ...run } of reports)
    for (const { measurements, startedAt, commit, size } of figures)
      for (const { id, value, unit, interval } of measurements)
        if (!found.has(id) && Number.isFinite(value))
          found.set(id, {
            id,
            value,
            unit,
            ...(interval === undefined ? {} : { low: interval.low, high: interval.high }),
            // Reports of before figures had their own.
            startedAt: startedAt ?? run.startedAt,
            commit: commit ?? run.versions.commit ?? 'unknown',
            size: size ?? run.size,
          });
  const entries = Object.entries(UNIT_COSTS).map(([name, { id }]) => [name, found.get(id)] as const);
  const missing = entries
    .filter(([, cost]) => cost === undefined)
    .map(([name]) => UNIT_COSTS[name as UnitCostName].id);
  if (missing.length > 0) throw new Error(`no result has ${missing.join(', ')}`);
  const machine = reports[0]?.machine as Report['machine'];
  return { machine, costs: Object.fromEntries(entries) as UnitCostFile['costs'] };
}

/** Of which runs the costs are: one line for each, with those that are older than the last one marked. */
export function sourcesOf({ costs }: UnitCostFile, last: string): string[] {
  const runs = new Map<string, Set<string>>();
  for (const { id, commit, size, startedAt } of Object.values(costs)) {
    const when = startedAt < last ? `, older than the last run (${startedAt})` : '';
    const run = `${commit}, ${size}${when}`;
    runs.set(run, (runs.get(run) ?? new Set()).add(id.slice(0, id.indexOf('.'))));
  }
  return [...runs].map(([run, figures]) => `${[...figures].join(', ')}: of ${run}`);
}

export function readUnitCosts(file: string): UnitCostFile {
  if (!existsSync(file)) throw new Error(`${file} is missing; npm run bench:capacity -- --collect makes it`);
  return JSON.parse(readFileSync(file, 'utf8')) as UnitCostFile;
}

export function valuesOf({ costs }: UnitCostFile): UnitCosts {
  return Object.fromEntries(Object.entries(costs).map(([name, { value }]) => [name, value])) as UnitCosts;
}
