/** From unit costs and a workload to machines. */
import type { Assumptions } from './assumptions.ts';
import { type Demand, demandOf } from './demand.ts';
import type { UnitCosts } from './unit-costs.ts';
import { type Work, workOf } from './work.ts';

export interface Tier {
  pods: number;
  /** Of each pod. */
  cores: number;
  gb: number;
  /** Cores that are busy in the busiest hour, all pods together. */
  busy: number;
  /** What decides how many there are. */
  because: string;
}

export interface Plan {
  demand: Demand;
  gateways: Tier;
  agents: Tier;
  auth: Tier;
  uploads: Tier;
  brokers: Tier;
  /** Parts into which a stream must be split for its rate; 1: as today. */
  partitions: { EVENTS: number; MESSAGES: number; TURNS: number; runs: number };
  diskGb: number;
  /** Megabits a second: to and from clients, into and out of brokers. */
  traffic: { clientOut: number; clientIn: number; brokerIn: number; brokerOut: number };
  /** For a month, in whatever the prices are. */
  cost: { cpu: number; memory: number; disk: number; egress: number; total: number };
}

const GB = 1e9;

export function planFor(sockets: number, costs: UnitCosts, given: Assumptions): Plan {
  const demand = demandOf(sockets, given);
  const work = workOf(costs);
  const gateways = planGateways(demand, work, costs, given);
  const agents = planAgents(demand, work, costs, given);
  const auth = planAuth(demand, work, given);
  const uploads = planUploads(demand, costs, given);
  const brokers = planBrokers(demand, work, costs, given);
  const { streamUtilisation, replicaSlowdown } = given;
  const split = (perSecond: number, rate: number) =>
    Math.max(1, Math.ceil((perSecond * replicaSlowdown) / (rate * streamUtilisation)));
  const partitions = {
    EVENTS: split(demand.batches, costs.eventRate),
    MESSAGES: split(demand.appends.MESSAGES, costs.appendRate),
    TURNS: split(demand.appends.TURNS, costs.appendRate),
    runs: split(demand.appends.runs, costs.appendRate),
  };
  const diskGb = storedBytes(demand, given) / GB;
  const traffic = trafficOf(demand, given);
  const cost = costOf(
    [gateways, agents, auth, uploads, brokers],
    diskGb * given.replicas,
    traffic.clientOut,
    given,
  );
  return { demand, gateways, agents, auth, uploads, brokers, partitions, diskGb, traffic, cost };
}

/** The largest need decides; what is left when a zone is lost must be enough. */
function tier(
  needs: Record<string, number>,
  cores: number,
  bytes: number,
  busy: number,
  given: Assumptions,
): Tier {
  const [because, most] = Object.entries(needs).reduce((a, b) => (b[1] > a[1] ? b : a));
  const spare = given.zones / (given.zones - 1);
  const pods = Math.max(given.zones, Math.ceil(most * spare));
  return {
    pods,
    cores,
    gb: Math.max(0.25, Math.ceil((bytes / pods / GB) * 4) / 4),
    busy,
    because: pods === given.zones ? 'one in each zone' : because,
  };
}

function planGateways(demand: Demand, work: Work, costs: UnitCosts, given: Assumptions): Tier {
  const { message, token } = work;
  // A token to its first watcher is in `token`; each other one costs a delivery.
  const furtherDeliveries = demand.tokenDeliveries - demand.batches;
  const micros =
    demand.sockets * costs.idleMicros +
    demand.connects * work.connect.gateway +
    demand.joins * work.join.gateway +
    demand.resumes * work.resume.gateway +
    demand.tokens * token.gateway +
    furtherDeliveries * message.each +
    demand.roomMessages * message.once +
    demand.roomDeliveries * message.each +
    // A part of an upload crosses the gateway once; a fifth of the measured cost was the gateway's.
    (demand.uploadMb / costs.uploads) * 1e6 * 0.2;
  const busy = micros / 1e6;
  const storm = (demand.sockets / given.zones) * (work.connect.gateway + work.resume.gateway);
  const pods = {
    sockets: demand.sockets / (given.socketsPerCore * given.podCores),
    CPU: busy / given.utilisation / given.podCores,
    'a lost zone': (storm / 1e6 / given.stormSeconds + busy) / given.podCores,
  };
  const bytes =
    demand.sockets *
    (costs.connectionBytes + (demand.conversations / demand.sockets) * work.conversationBytes);
  const { pods: count, ...rest } = tier(pods, given.podCores, 0, busy, given);
  const each =
    costs.gatewayBytes * 1e6 * given.podCores + (bytes / count) * (given.zones / (given.zones - 1)) * 1.3;
  return { pods: count, ...rest, gb: Math.ceil((each / GB) * 4) / 4 };
}

function planAgents(demand: Demand, work: Work, costs: UnitCosts, given: Assumptions): Tier {
  const busy = (demand.tokens * work.token.agent) / 1e6;
  const needs = {
    CPU: busy / given.utilisation / given.podCores,
    'answers at once': demand.runs / given.agentPodRuns,
  };
  const { pods, ...rest } = tier(needs, given.podCores, 0, busy, given);
  const bytes = given.processBytes * given.podCores + (demand.runs / pods) * costs.runKib * 1_024 * 1.5;
  return { pods, ...rest, gb: Math.ceil((bytes / GB) * 4) / 4 };
}

function planAuth(demand: Demand, { connect, join, resume }: Work, given: Assumptions): Tier {
  const micros = demand.connects * connect.auth + demand.joins * join.auth + demand.resumes * resume.auth;
  const busy = micros / 1e6;
  const storm = ((demand.sockets / given.zones) * (connect.auth + resume.auth)) / 1e6 / given.stormSeconds;
  const needs = { CPU: busy / given.utilisation, 'a lost zone': storm + busy };
  const { pods, ...rest } = tier(needs, 1, 0, busy, given);
  return { pods, ...rest, gb: Math.ceil((given.processBytes / GB) * 4) / 4 };
}

function planUploads(demand: Demand, costs: UnitCosts, given: Assumptions): Tier {
  const busy = (demand.uploadMb / costs.uploads) * 0.8;
  const { pods, ...rest } = tier(
    { CPU: busy / given.utilisation / given.podCores },
    given.podCores,
    0,
    busy,
    given,
  );
  return { pods, ...rest, gb: 0.5 };
}

function planBrokers(demand: Demand, work: Work, costs: UnitCosts, given: Assumptions): Tier {
  const stored = costs.eventMicros * (given.replicaCost - 1);
  const appends = demand.appends.TURNS + demand.appends.MESSAGES + demand.appends.runs;
  const micros =
    demand.tokens * work.token.broker +
    demand.batches * stored +
    appends * costs.appendMicros * (given.replicaCost - 1) +
    demand.roomMessages * costs.appendMicros +
    demand.joins * work.join.broker +
    demand.resumes * work.resume.broker +
    demand.connects * 4 * costs.relayMicros +
    // To the gateways of further watchers.
    (demand.tokenDeliveries - demand.batches) * costs.relayMicros;
  const busy = (micros * given.routeCost) / 1e6;
  const storm =
    ((demand.sockets / given.zones) * (work.resume.broker + 4 * costs.relayMicros)) /
    1e6 /
    given.stormSeconds;
  const needs = {
    CPU: busy / given.brokerUtilisation / given.brokerNodeCores,
    'a lost zone': (storm * given.routeCost + busy) / given.brokerNodeCores,
  };
  const cores = Math.min(
    given.brokerNodeCores,
    Math.max(2, Math.ceil(Math.max(...Object.values(needs)) * given.brokerNodeCores)),
  );
  const scaled = Object.fromEntries(
    Object.entries(needs).map(([why, nodes]) => [why, (nodes * given.brokerNodeCores) / cores]),
  );
  const { pods, ...rest } = tier(scaled, cores, 0, busy, given);
  // Each node knows of every subscription of its cluster; EVENTS and its copies are in memory.
  const subscriptions = demand.conversations * 1.5 * costs.subscriptionBytes;
  const events =
    (demand.batches * (given.batchBytes + given.entryBytes) * EVENTS_SECONDS * given.replicas) / pods;
  return { pods, ...rest, gb: Math.ceil((given.brokerBaseBytes + subscriptions + events) / GB) };
}

/** A run, the 6 s until another agent takes it, and as much again. Today's max_age is 15 minutes. */
export const EVENTS_SECONDS = 60;
/** NATTER_TRANSCRIPT_DAYS. */
export const TRANSCRIPT_DAYS = 30;

/** Transcripts and claims of all days that are kept, one copy. */
export function storedBytes(demand: Demand, given: Assumptions): number {
  const perDay = 3_600 * given.busyHoursPerDay;
  const exchange = given.questionBytes + given.tokensPerAnswer * given.tokenChars + 2 * given.entryBytes;
  const transcripts =
    (demand.questions * exchange + demand.roomMessages * (given.questionBytes + given.entryBytes)) * perDay;
  const claims = demand.sockets * given.conversationsPerDay * given.claimBytes;
  return (transcripts + claims) * TRANSCRIPT_DAYS;
}

function trafficOf(demand: Demand, given: Assumptions): Plan['traffic'] {
  const megabits = (bytes: number) => (bytes * 8) / 1e6;
  const frames = demand.tokenDeliveries + demand.roomDeliveries;
  const pings = (demand.sockets * given.pingsPerMinute) / 60;
  const deliveries = demand.batches * (1 + given.devices);
  return {
    clientOut: megabits(frames * (given.frameBytes + given.overheadBytes) + pings * given.overheadBytes),
    clientIn: megabits(
      demand.questions * (given.questionBytes + given.overheadBytes) +
        (pings + frames / 2) * given.overheadBytes +
        demand.uploadMb * 1e6,
    ),
    brokerIn: megabits(demand.batches * given.batchBytes + demand.uploadMb * 1e6),
    brokerOut: megabits(deliveries * given.batchBytes + demand.uploadMb * 1e6),
  };
}

function costOf(tiers: readonly Tier[], diskGb: number, clientOut: number, given: Assumptions): Plan['cost'] {
  const sum = (of: (tier: Tier) => number) => tiers.reduce((all, each) => all + each.pods * of(each), 0);
  const cpu = sum(({ cores }) => cores) * given.cpuHour * given.hoursPerMonth;
  const memory = sum(({ gb }) => gb) * given.gbHour * given.hoursPerMonth;
  const disk = diskGb * given.diskGbMonth;
  const tb = ((clientOut / 8) * 1e6 * 3_600 * given.hoursPerMonth * given.loadFactor) / 1e12;
  const egress = tb * given.egressTb;
  return { cpu, memory, disk, egress, total: cpu + memory + disk + egress };
}
