/** What this gateway answers when any gateway asks all of them. */
import { CONNECTIONS_TOLD, type GatewayAnswer, type GatewayQuestion, LIMITS } from '@natter/proto';
import type { Cluster } from './cluster.ts';
import type { ConnectionHere, ConnectionsHere } from './connections-here.ts';
import { packHashes } from './hashes.ts';
import type { Presence } from './presence.ts';

/** 53 bits each: 533 KB of base64, below the 1 MiB that a broker takes at least. */
const USER_HASHES = 50_000;
const ROOM_HASHES = 10_000;

export function answerGateways(
  cluster: Cluster,
  presence: Pick<Presence, 'snapshot'>,
  here: ConnectionsHere,
  logSockets: { readonly size: number; disconnectAll(): number },
): void {
  const tell = (connection: ConnectionHere) => ({ ...connection, gateway: cluster.id });
  cluster.answer((question: GatewayQuestion): GatewayAnswer => {
    const { type } = question;
    if (type === 'stats') return stats(here);
    if (type === 'room_presence') {
      const typing = here.typing(question.key).slice(0, LIMITS.membersPerRoom);
      return { type, ...presence.snapshot(question.key), typing };
    }
    if (type === 'connection') {
      const found = here.connection(question.id);
      return { type, found: found === null ? null : tell(found) };
    }
    if (type === 'log_sockets') return { type, count: logSockets.size };
    if (type === 'disconnect_log_sockets') return { type, count: logSockets.disconnectAll() };
    return { type, found: here.ofUser(question.sub).slice(0, CONNECTIONS_TOLD).map(tell) };
  });
}

function stats(here: ConnectionsHere): GatewayAnswer {
  const { connections, users, rooms, queuedMessages, typing } = here.stats();
  const packedUsers = packHashes(users, USER_HASHES);
  const packedRooms = packHashes(rooms, ROOM_HASHES);
  return {
    type: 'stats',
    connections,
    users: packedUsers.count,
    rooms: packedRooms.count,
    queuedMessages,
    typing,
    userHashes: packedUsers.hashes,
    roomHashes: packedRooms.hashes,
  };
}
