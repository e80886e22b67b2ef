/** What each service may do on the broker: one nkey user per service, and nothing it doesn't need. */
import { join } from 'node:path';
import { BUCKETS, CONSUMERS, OWN_SERVICES, STREAMS, SUBJECTS } from '@natter/proto';

/** `log-writer` is nobody of ours: programs that publish log lines straight to the broker. */
export const SERVICES = ['gateway', 'agent', 'auth', 'uploads', 'log-writer'] as const;
export type ServiceName = (typeof SERVICES)[number];

export interface Permissions {
  publish: string[];
  /** Of what `publish` allows. */
  mayNotPublish?: string[];
  subscribe: string[];
}

/** A bucket is a stream, and its keys are subjects. */
const streamOf = (bucket: string) => `KV_${bucket}`;
const keysOf = (bucket: string) => `$KV.${bucket}.>`;

/** Every one of them is made by an agent. */
const ALL_STREAMS = [...Object.values(STREAMS), ...Object.values(BUCKETS).map(streamOf)];
/** What agents read and write. */
const AGENT_BUCKETS = [BUCKETS.runs, BUCKETS.appointments];
const AGENT_STREAMS = [STREAMS.turns, STREAMS.messages, STREAMS.events, ...AGENT_BUCKETS.map(streamOf)];
/** What agents read only: texts of files. */
const AGENT_READS = [BUCKETS.fileIndex, BUCKETS.fileTexts].map(streamOf);
/** What the auth service reads and writes. */
const ROOM_BUCKETS = [BUCKETS.rooms, BUCKETS.members, BUCKETS.positions];
/** What the auth service alone reads and writes. */
const AUTH_BUCKETS = [...ROOM_BUCKETS, BUCKETS.apiKeys];
/** What gateways write. */
const GATEWAY_BUCKETS = [BUCKETS.positions, BUCKETS.logPositions];
/** What gateways read; the bytes of uploads and files they get from the uploads service. */
const GATEWAY_STREAMS = [
  ...Object.values(STREAMS).filter((stream) => stream !== STREAMS.chunks && stream !== STREAMS.files),
  ...GATEWAY_BUCKETS.map(streamOf),
];
const UPLOAD_BUCKETS = [BUCKETS.uploads, BUCKETS.files, BUCKETS.fileIndex, BUCKETS.fileTexts];
const UPLOAD_STREAMS = [STREAMS.chunks, STREAMS.files, ...UPLOAD_BUCKETS.map(streamOf)];

/** Subjects beside the answers to requests, which every service may give. */
export const PERMISSIONS: Record<ServiceName, Permissions> = {
  gateway: {
    publish: [
      'turn.>',
      'auth.*',
      'gateway.>',
      'rate.>',
      // What people say and do; how runs go and end, and who is in a room, others tell.
      SUBJECTS.allLogs,
      SUBJECTS.liveOut('*'),
      'ev.out.user.*',
      // Its own lines, and those that come by HTTP.
      SUBJECTS.allLogLines,
      SUBJECTS.uploads,
      // Parts of uploads, which the uploads service judges; what is there gateways can't read.
      SUBJECTS.allChunks,
      ...GATEWAY_BUCKETS.map(keysOf),
      // Reads only: no consumer, no change of a stream.
      ...GATEWAY_STREAMS.flatMap(infoAndDirectGet),
      ...GATEWAY_BUCKETS.map(streamOf).flatMap(leaderGet),
    ],
    subscribe: ['ev.out.>', 'gateway.>', 'logs.out.>'],
  },
  agent: {
    publish: [
      'ev.in.>',
      'msg.>',
      'agent.>',
      ownLines('agent'),
      ...AGENT_READS.flatMap((stream) => [`$JS.API.DIRECT.GET.${stream}`, ...leaderGet(stream)]),
      ...AGENT_BUCKETS.map(keysOf),
      '$JS.API.INFO',
      ...ALL_STREAMS.flatMap((stream) => [
        `$JS.API.STREAM.INFO.${stream}`,
        `$JS.API.STREAM.CREATE.${stream}`,
        `$JS.API.STREAM.UPDATE.${stream}`,
      ]),
      ...AGENT_STREAMS.flatMap((stream) => [`$JS.API.DIRECT.GET.${stream}`, ...leaderGet(stream)]),
      ...consumerSubjects(STREAMS.turns, CONSUMERS.agents),
    ],
    // The log of a conversation tells that its run shall stop.
    subscribe: ['agent.>', SUBJECTS.logOut('*')],
  },
  auth: {
    publish: [
      ownLines('auth'),
      ...AUTH_BUCKETS.map(keysOf),
      ...AUTH_BUCKETS.map(streamOf).flatMap((stream) => [
        ...infoAndDirectGet(stream),
        ...leaderGet(stream),
        `$JS.API.STREAM.PURGE.${stream}`,
      ]),
    ],
    subscribe: ['auth.*', '$SRV.>'],
  },
  uploads: {
    publish: [
      ownLines('uploads'),
      '$O.files.>',
      // A finished file is part of the log; its progress is live.
      SUBJECTS.allLogs,
      SUBJECTS.liveOut('*'),
      // A file is in the log once, also where a death left nobody who knows.
      `$JS.API.DIRECT.GET.${STREAMS.messages}`,
      ...UPLOAD_BUCKETS.map(keysOf),
      ...UPLOAD_STREAMS.flatMap((stream) => [
        ...infoAndDirectGet(stream),
        ...leaderGet(stream),
        `$JS.API.STREAM.PURGE.${stream}`,
      ]),
    ],
    subscribe: [SUBJECTS.uploads, '$SRV.>'],
  },
  'log-writer': {
    publish: [SUBJECTS.allLogLines],
    mayNotPublish: OWN_SERVICES.map(ownLines),
    subscribe: [],
  },
};

function ownLines(service: string): string {
  return `log.${service}.*.*`;
}

/** Reads that any replica answers. */
function infoAndDirectGet(stream: string): string[] {
  return [`$JS.API.STREAM.INFO.${stream}`, `$JS.API.DIRECT.GET.${stream}`];
}

/** Reads of the leader, which is never stale; a Bucket reads so. */
function leaderGet(stream: string): string[] {
  return [`$JS.API.STREAM.MSG.GET.${stream}`];
}

function consumerSubjects(stream: string, consumer: string): string[] {
  return [
    `$JS.API.CONSUMER.INFO.${stream}.${consumer}`,
    `$JS.API.CONSUMER.CREATE.${stream}.${consumer}`,
    `$JS.API.CONSUMER.CREATE.${stream}.${consumer}.>`,
    `$JS.API.CONSUMER.DURABLE.CREATE.${stream}.${consumer}`,
    `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`,
    `$JS.ACK.${stream}.${consumer}.>`,
  ];
}

/** Where a broker's data folder keeps the key of a service. */
export function serviceKeyFile(brokerDir: string, service: ServiceName): string {
  return join(brokerDir, 'keys', `${service}.nk`);
}

/** The `authorization` block of nats-server's configuration, for the public keys of the services. */
export function authorizationConfig(publicKeys: Record<ServiceName, string>): string {
  const users = SERVICES.map((service) => {
    const { publish, mayNotPublish = [], subscribe } = PERMISSIONS[service];
    // Each service has its own inbox: under the plain `_INBOX` one could read the answers to all.
    const allowed = { publish, subscribe: [...subscribe, `_INBOX_${service}.>`] };
    return `    { nkey: ${publicKeys[service]}, permissions: {
        publish: { allow: ${JSON.stringify(allowed.publish)}${denied(mayNotPublish)} }
        subscribe: { allow: ${JSON.stringify(allowed.subscribe)} }
        allow_responses: { max: 1, expires: "1m" }
    } }`;
  });
  return `authorization {\n  users: [\n${users.join('\n')}\n  ]\n}\n`;
}

function denied(subjects: string[]): string {
  return subjects.length === 0 ? '' : `, deny: ${JSON.stringify(subjects)}`;
}
