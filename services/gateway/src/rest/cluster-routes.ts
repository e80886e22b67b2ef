/** Statistics and connections over all gateways. Source: seeds/004, Monitoring; PROTOCOLS, rooms-v1. */
import { isClientId } from '@natter/proto';
import type { Cluster } from '../cluster/cluster.ts';
import { unpackHashes } from '../cluster/hashes.ts';
import { errorReply, type HttpReply, json, type Route } from './route.ts';
import { isAdmin, type SignedInRequest, type SignInDeps, signedIn } from './signed-in.ts';

export interface ClusterRouteDeps extends SignInDeps {
  cluster: Pick<Cluster, 'ask'>;
}

export function clusterRoutes(deps: ClusterRouteDeps): Route[] {
  const get = (
    path: string,
    handle: (request: SignedInRequest) => Promise<HttpReply> | HttpReply,
  ): Route => ({
    method: 'GET',
    path: `/api/v1/ws${path}`,
    maxBodyBytes: 0,
    handle: signedIn(deps, 'websocket', handle),
  });
  return [
    get('/stats', (request) => stats(deps, request)),
    get('/connections/:connection_id', (request) => connection(deps, request)),
    get('/user/:user_id/connections', (request) => ofUser(deps, request)),
  ];
}

async function stats({ cluster }: ClusterRouteDeps, { principal, trace }: SignedInRequest) {
  if (!isAdmin(principal)) return errorReply('ADMIN_ONLY', { correlationId: trace.traceId });
  const replies = await cluster.ask({ type: 'stats' });
  const answers = replies.flatMap(({ answer }) => (answer.type === 'stats' ? [answer] : []));
  const sum = (count: (answer: (typeof answers)[number]) => number) =>
    answers.reduce((total, answer) => total + count(answer), 0);
  return json(200, {
    active_connections: sum(({ connections }) => connections),
    total_users: distinct(answers.map(({ users, userHashes }) => [users, userHashes])),
    active_rooms: distinct(answers.map(({ rooms, roomHashes }) => [rooms, roomHashes])),
    queued_messages: sum(({ queuedMessages }) => queuedMessages),
    typing_indicators: sum(({ typing }) => typing),
    gateways: answers.length,
  });
}

/** How many different ones there are; those above a gateway's number of hashes count as different. */
function distinct(counted: [count: number, hashes: string][]): number {
  const seen = new Set<number>();
  let more = 0;
  for (const [count, packed] of counted) {
    const hashes = unpackHashes(packed);
    for (const hash of hashes) seen.add(hash);
    more += Math.max(0, count - hashes.length);
  }
  return seen.size + more;
}

/** The same answer for one that doesn't exist and somebody else's. */
async function connection({ cluster }: ClusterRouteDeps, request: SignedInRequest): Promise<HttpReply> {
  const { principal, trace } = request;
  const id = request.param('connection_id');
  const missing = errorReply('NOT_FOUND', { correlationId: trace.traceId });
  if (!isClientId(id)) return missing;
  for (const { answer } of await cluster.ask({ type: 'connection', id })) {
    if (answer.type !== 'connection' || answer.found === null) continue;
    if (answer.found.user_id === principal.sub || isAdmin(principal)) return json(200, answer.found);
  }
  return missing;
}

async function ofUser({ cluster }: ClusterRouteDeps, request: SignedInRequest): Promise<HttpReply> {
  const { principal, trace } = request;
  const sub = request.param('user_id');
  if (!isClientId(sub) || (sub !== principal.sub && !isAdmin(principal)))
    return errorReply('NOT_FOUND', { correlationId: trace.traceId });
  const replies = await cluster.ask({ type: 'user_connections', sub });
  const connections = replies.flatMap(({ answer }) =>
    answer.type === 'user_connections' ? answer.found : [],
  );
  return json(200, { user_id: sub, connections, count: connections.length });
}
