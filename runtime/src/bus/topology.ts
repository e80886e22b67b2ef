/** Streams, consumers and buckets: made or brought up to date by whoever starts first. */

import {
  AckPolicy,
  type ConsumerConfig,
  DiscardPolicy,
  type Republish,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { BUCKETS, CONSUMERS, STREAMS, SUBJECTS } from '@natter/proto';
import type { Logger } from '../logger.ts';
import type { Bus } from './bus.ts';
import { asBusError } from './errors.ts';
import { whileUnavailable } from './retry.ts';
import { newLife, withLife } from './stream-life.ts';

const SECOND = 1_000_000_000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;
const MIB = 1024 * 1024;

export interface TopologyOptions {
  /** Copies of each stream, 1 on a single broker, 3 in a cluster. */
  replicas: number;
  /** How long transcripts are kept, in days. */
  transcriptDays: number;
  /** Questions of one user within the window; default 100. */
  rateLimitRequests?: number;
  /** Length of the sliding window, in seconds; default 60. */
  rateLimitWindowSeconds?: number;
  /** Messages of one session within the window; default 20. */
  sessionRateLimit?: number;
  /** How long log lines are kept, in days; default 3. */
  logDays?: number;
  /** How long an upload may take, in hours; default 24. */
  uploadExpiryHours?: number;
}

type Stream = Partial<StreamConfig> & { name: string };

const DEFAULT_LOG_DAYS = 3;
const DEFAULT_UPLOAD_HOURS = 24;

/** A turn is given to another agent when its agent has said nothing for this long. */
export const TURN_ACK_WAIT_MS = 6_000;

/** Unanswered questions a conversation may have. */
const MAX_WAITING_TURNS = 64;

function streams(options: TopologyOptions): Stream[] {
  return [
    {
      name: STREAMS.turns,
      subjects: [SUBJECTS.allTurns],
      storage: StorageType.File,
      // A turn is gone once it was acknowledged, so that only unanswered ones fill the stream. What
      // the dedupe window forgets of them in a restart, the agents know from MESSAGES.
      retention: RetentionPolicy.Workqueue,
      max_age: DAY,
      max_bytes: 1024 * MIB,
      // Full means refused, so that the client is told; never an old turn dropped in silence.
      discard: DiscardPolicy.New,
      // Longer than EVENTS keeps a run, so that a repeat is known as one while its events are there.
      duplicate_window: 16 * MINUTE,
      // Waiting questions of one conversation; each is delivered again every 6 s until it ends.
      max_msgs_per_subject: MAX_WAITING_TURNS,
      discard_new_per_subject: true,
    },
    {
      name: STREAMS.messages,
      subjects: [SUBJECTS.allMessages],
      storage: StorageType.File,
      max_age: options.transcriptDays * DAY,
      max_bytes: 8 * 1024 * MIB,
      discard: DiscardPolicy.Old,
      // A question is appended by its gateway and by its agent, which may be 15 minutes later.
      duplicate_window: 16 * MINUTE,
      // Not how runs end: the last event of a run says the same, and comes after all the others.
      republish: { src: SUBJECTS.allLogs, dest: SUBJECTS.logOut('{{wildcard(1)}}') },
    },
    {
      name: STREAMS.events,
      subjects: [SUBJECTS.allEventsIn],
      storage: StorageType.Memory,
      // Three times as long as a model may take for an answer, by default.
      max_age: 15 * MINUTE,
      max_bytes: 512 * MIB,
      discard: DiscardPolicy.Old,
      republish: { src: SUBJECTS.allEventsIn, dest: SUBJECTS.allEventsOut },
    },
    rateStream(STREAMS.userRates, 'rate.user.*', options.rateLimitRequests ?? 100, 128 * MIB, options),
    rateStream(STREAMS.sessionRates, 'rate.session.*', options.sessionRateLimit ?? 20, 64 * MIB, options),
    {
      name: STREAMS.logs,
      subjects: [SUBJECTS.allLogLines],
      storage: StorageType.File,
      max_age: (options.logDays ?? DEFAULT_LOG_DAYS) * DAY,
      max_bytes: 512 * MIB,
      max_msg_size: 64 * 1024,
      discard: DiscardPolicy.Old,
      // How long the broker may be away before lines that were under way are stored twice. The broker
      // has some 150 bytes in mind for each id: 9 MB at 100 lines a second, 90 MB at 1,000 a second,
      // at which LOGS itself lasts for 20 minutes.
      duplicate_window: 10 * MINUTE,
      // Synced as all are: with persist_mode async a killed broker lost up to 50 acknowledged lines and
      // gave their sequences to others, so that a reader who came back missed lines in silence.
      republish: {
        src: SUBJECTS.allLogLines,
        dest: 'logs.out.{{wildcard(1)}}.{{wildcard(2)}}.{{wildcard(3)}}',
      },
    },
    {
      name: STREAMS.chunks,
      subjects: [SUBJECTS.allChunks],
      storage: StorageType.File,
      max_age: (options.uploadExpiryHours ?? DEFAULT_UPLOAD_HOURS) * 60 * MINUTE,
      max_bytes: 2 * 1024 * MIB,
      // A part that is sent again takes the place of the one before.
      max_msgs_per_subject: 1,
      discard: DiscardPolicy.New,
    },
    {
      // As the object stores of NATS are (ADR-20), so that its tools can read it.
      name: STREAMS.files,
      subjects: [`$O.files.C.>`, `$O.files.M.>`],
      storage: StorageType.File,
      max_bytes: 8 * 1024 * MIB,
      discard: DiscardPolicy.New,
      allow_rollup_hdrs: true,
    },
  ].map((stream) => ({ ...stream, num_replicas: options.replicas, allow_direct: true }));
}

/**
 * A sliding window over all gateways: a message for each request, which leaves after the window.
 *
 * A request above the limit is refused with SUBJECT_FULL (docs/decisions/0015).
 */
function rateStream(
  name: string,
  subject: string,
  limit: number,
  maxBytes: number,
  { rateLimitWindowSeconds = 60 }: TopologyOptions,
): Stream {
  const window = rateLimitWindowSeconds * SECOND;
  return {
    name,
    subjects: [subject],
    storage: StorageType.Memory,
    max_age: window,
    // At most max_age; 2 minutes are the broker's default.
    duplicate_window: Math.min(window, 2 * MINUTE),
    max_bytes: maxBytes,
    discard: DiscardPolicy.New,
    max_msgs_per_subject: limit,
    discard_new_per_subject: true,
  };
}

const CONSUMER_CONFIGS: { stream: string; config: Partial<ConsumerConfig> & { durable_name: string } }[] = [
  {
    stream: STREAMS.turns,
    config: {
      durable_name: CONSUMERS.agents,
      ack_policy: AckPolicy.Explicit,
      ack_wait: TURN_ACK_WAIT_MS * 1_000_000,
      // Deaths are counted by the agents (turn/claims.ts): here a broker's restart counts as one too.
      max_deliver: -1,
      max_ack_pending: 20_000,
    },
  },
];

interface BucketConfig {
  name: string;
  maxBytes: number;
  /** How long a key is kept, in days; unset: for ever. */
  days?: number;
  republish?: Republish;
}

/** A bucket is the stream KV_<name>, its keys are the subjects $KV.<name>.<key>. */
function buckets(options: TopologyOptions): BucketConfig[] {
  return [
    { name: BUCKETS.runs, maxBytes: 1024 * MIB, days: options.transcriptDays },
    { name: BUCKETS.appointments, maxBytes: 256 * MIB },
    {
      name: BUCKETS.rooms,
      maxBytes: 256 * MIB,
      // A deleted room arrives as a message without a body; which room an id means stays inside.
      republish: { src: `$KV.${BUCKETS.rooms}.room.*`, dest: 'ev.out.conv.{{wildcard(1)}}.room' },
    },
    {
      name: BUCKETS.members,
      maxBytes: 1024 * MIB,
      republish: {
        src: `$KV.${BUCKETS.members}.*.*`,
        dest: 'ev.out.conv.{{wildcard(1)}}.member.{{wildcard(2)}}',
      },
    },
    { name: BUCKETS.positions, maxBytes: 512 * MIB },
    {
      name: BUCKETS.apiKeys,
      maxBytes: 16 * MIB,
      // Gateways learn that a key was changed, and ask; the hash stays inside.
      republish: {
        src: `$KV.${BUCKETS.apiKeys}.*`,
        dest: SUBJECTS.apiKeyChanged('{{wildcard(1)}}'),
        headers_only: true,
      },
    },
    { name: BUCKETS.logPositions, maxBytes: 16 * MIB, days: 30 },
    {
      name: BUCKETS.uploads,
      maxBytes: 64 * MIB,
      days: (options.uploadExpiryHours ?? DEFAULT_UPLOAD_HOURS) / 24,
    },
    { name: BUCKETS.files, maxBytes: 256 * MIB },
    { name: BUCKETS.fileIndex, maxBytes: 256 * MIB },
    { name: BUCKETS.fileTexts, maxBytes: 1024 * MIB },
  ];
}

/** Makes what is missing and updates what differs; safe to run from many services at once. */
export async function ensureTopology(bus: Bus, options: TopologyOptions): Promise<void> {
  const { jsm, js } = bus.internals;
  try {
    for (const stream of streams(options)) await ensureStream(jsm, stream);
    for (const { stream, config } of CONSUMER_CONFIGS) await jsm.consumers.add(stream, config);
    const kvm = new Kvm(js);
    for (const bucket of buckets(options)) await ensureBucket(kvm, jsm, bucket, options.replicas);
  } catch (error) {
    throw asBusError(error);
  }
}

/**
 * Ensures the topology now and after each reconnect.
 *
 * A single broker forgets a memory stream when it restarts, name and all; until somebody makes
 * EVENTS again, nothing a run emits can be stored.
 */
export async function keepTopology(
  bus: Bus,
  options: TopologyOptions,
  log: Logger,
): Promise<{ readonly complete: boolean }> {
  const ensure = () => whileUnavailable(10_000, () => ensureTopology(bus, options));
  const topology = { complete: false };
  let running = false;
  let lives = 0;
  bus.onReconnect(async () => {
    topology.complete = false;
    lives += 1;
    if (running) return;
    running = true;
    for (let delayMs = 500; !bus.closed; delayMs = Math.min(delayMs * 2, 10_000)) {
      try {
        const life = lives;
        await ensure();
        // It may have been checked on a broker that is gone again.
        if (life !== lives) continue;
        topology.complete = true;
        break;
      } catch (err) {
        log.error({ err }, 'streams could not be made after a reconnect; trying again');
        await new Promise((resolve) => setTimeout(resolve, delayMs));
      }
    }
    running = false;
  });
  await ensure();
  topology.complete = true;
  return topology;
}

/**
 * Looks before it adds: the broker checks the room for a stream before it sees that the stream
 * exists, so adding an existing one again needs its max_bytes a second time.
 */
async function ensureStream(jsm: Bus['internals']['jsm'], stream: Stream): Promise<void> {
  const found = () => jsm.streams.info(stream.name).catch(() => null);
  let info = await found();
  if (info === null) {
    try {
      await jsm.streams.add({ ...stream, metadata: newLife() });
      return;
    } catch (error) {
      // Another service was faster.
      info = await found();
      if (info === null) throw error;
    }
  }
  await jsm.streams.update(stream.name, withLife(stream, info));
}

/** Makes a bucket; `create` looks first, so a second try finds what another one made, as it was made. */
async function ensureBucket(
  kvm: Kvm,
  jsm: Bus['internals']['jsm'],
  { name, maxBytes, days, republish }: BucketConfig,
  replicas: number,
): Promise<void> {
  const config = {
    history: 1,
    storage: StorageType.File,
    replicas,
    max_bytes: maxBytes,
    ...(days === undefined ? {} : { ttl: (days * DAY) / 1_000_000 }),
    ...(republish === undefined ? {} : { republish }),
  };
  await kvm.create(name, config).catch(() => kvm.create(name, config));
  await jsm.streams.update(`KV_${name}`, {
    num_replicas: replicas,
    max_bytes: maxBytes,
    ...(days === undefined ? {} : { max_age: days * DAY }),
    ...(republish === undefined ? {} : { republish }),
  });
}
