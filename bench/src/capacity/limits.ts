/** Where today's design ends: each bound, and at how many connections it is reached. */
import type { Assumptions } from './assumptions.ts';
import { demandOf } from './demand.ts';
import { EVENTS_SECONDS, TRANSCRIPT_DAYS } from './plan.ts';
import type { UnitCosts } from './unit-costs.ts';

export interface Limit {
  what: string;
  /** Connections at which it is reached. */
  sockets: number;
  /** What happens there. */
  effect: string;
  /** The number that says so. */
  number: string;
  /** What to do about it. */
  remedy: string;
}

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
/** Of runtime/src/bus/topology.ts. */
const TOPOLOGY = {
  eventsBytes: 512 * MIB,
  messagesBytes: 8 * GIB,
  runsBytes: GIB,
  maxAckPending: 20_000,
} as const;
/** Its max_age. */
const EVENTS_KEPT_SECONDS = 900;
/** Every gateway asks all others about each room it has, this often (REFRESH_MS in services/gateway/src/cluster/presence.ts). */
const PRESENCE_SECONDS = 300;
/** Share of a core of every gateway that answering may take. */
const PRESENCE_SHARE = 0.1;

/** Soonest first; a bound that grows with the square of the connections is one too. */
export function limitsOf(costs: UnitCosts, given: Assumptions): Limit[] {
  const each = demandOf(1, given);
  const days = 3_600 * given.busyHoursPerDay * TRANSCRIPT_DAYS;
  const exchange = given.questionBytes + given.tokensPerAnswer * given.tokenChars + 2 * given.entryBytes;
  const transcript =
    (each.questions * exchange + each.roomMessages * (given.questionBytes + given.entryBytes)) * days;
  const claims = given.conversationsPerDay * TRANSCRIPT_DAYS * given.claimBytes;
  const eventBytes = each.batches * (given.batchBytes + given.entryBytes) * EVENTS_SECONDS;
  // A large fleet has nearly every connection of a room on another gateway.
  const asked = each.joins + given.inRooms / PRESENCE_SECONDS;
  // As the plan has it: with three copies.
  const usable = given.streamUtilisation / given.replicaSlowdown;
  const file = costs.appendRate * usable;
  const round = (value: number) => Math.round(value).toLocaleString('en');
  const limits: Limit[] = [
    {
      what: '`runs` holds 1 GiB',
      sockets: TOPOLOGY.runsBytes / claims,
      effect: 'claims of new conversations are refused, their questions end with PROCESSING_ERROR',
      number: `each connection has ${round(claims)} B of claims in ${TRANSCRIPT_DAYS} days`,
      remedy: 'a larger bound, or claims that leave days before transcripts do',
    },
    {
      what: 'MESSAGES holds 8 GiB',
      sockets: TOPOLOGY.messagesBytes / transcript,
      effect: `transcripts leave before their ${TRANSCRIPT_DAYS} days`,
      number: `each connection has ${round(transcript / 1_000)} kB of transcripts in ${TRANSCRIPT_DAYS} days`,
      remedy: 'a bound that follows the disk; old transcripts in an object store',
    },
    {
      what: 'EVENTS holds 512 MiB',
      sockets: TOPOLOGY.eventsBytes / eventBytes,
      effect: `it keeps less than ${EVENTS_SECONDS} s: gaps and takeovers find the beginning of a run gone`,
      number: `each connection makes ${round(eventBytes / EVENTS_SECONDS)} B/s of batches; its 15 minutes fit up to ${round((TOPOLOGY.eventsBytes * EVENTS_SECONDS) / eventBytes / EVENTS_KEPT_SECONDS)} connections`,
      remedy: 'a bound that follows memory, and a shorter max_age',
    },
    {
      what: 'EVENTS is one stream',
      sockets: (costs.eventRate * usable) / each.batches,
      effect: 'its leader stores no more batches; agents merge more tokens into each, tokens come later',
      number: `${round(costs.eventRate)} batches/s measured with one copy; with three ${given.replicaSlowdown} times fewer are assumed, of which ${100 * given.streamUtilisation}% are used`,
      remedy: 'partitions by a digest of the conversation',
    },
    {
      what: 'MESSAGES is one stream',
      sockets: file / each.appends.MESSAGES,
      effect: 'questions and ends of answers wait for its disk',
      number: `${round(costs.appendRate)} entries/s measured with one copy, each on disk before the answer`,
      remedy: 'partitions, each with a leader and disk of its own',
    },
    {
      what: 'TURNS is one stream',
      sockets: file / each.appends.TURNS,
      effect: 'questions are acknowledged later',
      number: `the same rate; ${each.appends.TURNS / each.questions} writes for each question`,
      remedy: 'partitions',
    },
    {
      what: '`runs` is one stream',
      sockets: file / each.appends.runs,
      effect: 'answers begin later',
      number: `the same rate; ${each.appends.runs / each.questions} writes for each question`,
      remedy: 'partitions',
    },
    {
      what: 'the consumer `agents` has 20,000 turns under way',
      sockets: TOPOLOGY.maxAckPending / each.runs,
      effect: 'further questions wait for an end of others',
      number: `${(each.runs * 1_000).toFixed(1)} answers at once for 1,000 connections`,
      remedy: 'one consumer for each partition',
    },
    {
      what: 'every gateway answers about every room of all others',
      sockets: (PRESENCE_SHARE * 1e6) / (asked * given.askMicros),
      effect: `presence takes ${100 * PRESENCE_SHARE}% of a core of each gateway; brokers pass on sockets × gateways messages`,
      number: `${(asked * 1_000).toFixed(2)} questions/s for 1,000 connections, each to all gateways`,
      remedy: 'gateways tell which rooms they have, so that only those are asked',
    },
  ];
  return limits.sort((a, b) => a.sockets - b.sockets);
}
