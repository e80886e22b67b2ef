/** What each service may do on the broker: one nkey user per service, and nothing it doesn't need. */
import { join } from 'node:path';
import { BUCKETS, CONSUMERS, STREAMS } from '@natter/proto';

export const SERVICES = ['gateway', 'agent', 'auth'] as const;
export type ServiceName = (typeof SERVICES)[number];

export interface Permissions {
  publish: string[];
  subscribe: string[];
}

/** The streams an agent makes and uses; a bucket is the stream KV_<name>. */
const AGENT_STREAMS = [...Object.values(STREAMS), ...Object.values(BUCKETS).map((bucket) => `KV_${bucket}`)];

/** Subjects beside the answers to requests, which every service may give. */
export const PERMISSIONS: Record<ServiceName, Permissions> = {
  gateway: {
    publish: [
      'turn.>',
      'auth.*',
      // Reads only: no consumer, no change of a stream.
      `$JS.API.STREAM.INFO.${STREAMS.turns}`,
      `$JS.API.DIRECT.GET.${STREAMS.events}`,
      `$JS.API.DIRECT.GET.${STREAMS.messages}`,
    ],
    subscribe: ['ev.out.>'],
  },
  agent: {
    publish: [
      'ev.in.>',
      'msg.>',
      'agent.>',
      ...Object.values(BUCKETS).map((bucket) => `$KV.${bucket}.>`),
      '$JS.API.INFO',
      ...AGENT_STREAMS.flatMap((stream) => [
        `$JS.API.STREAM.INFO.${stream}`,
        `$JS.API.STREAM.CREATE.${stream}`,
        `$JS.API.STREAM.UPDATE.${stream}`,
        `$JS.API.STREAM.MSG.GET.${stream}`,
        `$JS.API.DIRECT.GET.${stream}`,
        `$JS.API.DIRECT.GET.${stream}.>`,
      ]),
      ...consumerSubjects(STREAMS.turns, CONSUMERS.agents),
    ],
    subscribe: ['agent.>'],
  },
  auth: { publish: [], subscribe: ['auth.*', '$SRV.>'] },
};

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
    const { publish, subscribe } = PERMISSIONS[service];
    // Each service has its own inbox: under the plain `_INBOX` one could read the answers to all.
    const allowed = { publish, subscribe: [...subscribe, `_INBOX_${service}.>`] };
    return `    { nkey: ${publicKeys[service]}, permissions: {
        publish: { allow: ${JSON.stringify(allowed.publish)} }
        subscribe: { allow: ${JSON.stringify(allowed.subscribe)} }
        allow_responses: { max: 1, expires: "1m" }
    } }`;
  });
  return `authorization {\n  users: [\n${users.join('\n')}\n  ]\n}\n`;
}
