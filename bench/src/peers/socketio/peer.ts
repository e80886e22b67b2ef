/** Socket.IO with the Redis adapter, which is how it runs with more than one process. */
import { Emitter } from '@socket.io/redis-emitter';
import type { JSONWebKeySet } from 'jose';
import { createClient } from 'redis';
import type { Bench } from '../../bench.ts';
import { HelperProcess } from '../../helper-process.ts';
import type { Entrance } from '../../load/entrance.ts';
import { CORE } from '../../measure/cores.ts';
import { output, packageVersion } from '../../measure/machine.ts';
import type { Peer } from '../peer.ts';
import type { SocketioRequest } from './main.ts';
import { findRedis, type Redis, startRedis } from './redis.ts';

const ROOM = 'room';
const EVENT = 'token';
/** Engine.IO greets with packet 0; 40 asks for the default namespace, and is its answer too. */
const entrance = (auth: object | null): Entrance => ({
  path: '/socket.io/?EIO=4&transport=websocket',
  frames: [{ after: '0{"sid"', text: `40${auth === null ? '' : JSON.stringify(auth)}` }],
  readyMark: '40{"sid"',
});

export const socketio = socketioOn('ws', 'socketio', 'Socket.IO with Redis');
/** Its guide's fastest: a broadcast is a publish of uWebSockets.js then. */
export const socketioUws = socketioOn('uWebSockets.js', 'socketio-uws', 'Socket.IO on uWebSockets.js');

function socketioOn(engine: SocketioRequest['engine'], name: string, title: string): Peer {
  return {
    name,
    title,
    missing: () => (findRedis() === null ? 'redis-server (Debian: redis-server) is not installed' : null),
    versions: () => ({
      'socket.io': packageVersion('socket.io'),
      '@socket.io/redis-adapter': packageVersion('@socket.io/redis-adapter'),
      'redis-server': output(findRedis() ?? 'redis-server', ['--version']).replace(/^.* v=(\S+).*$/, '$1'),
    }),
    async startRoom(bench) {
      const { redis, pids, port } = await startServer(bench, engine, null);
      const client = createClient({ socket: { host: '127.0.0.1', port: redis.port } });
      // Each publish rejects as well; the watchers, who get nothing then, fail the figure.
      client.on('error', () => undefined);
      await client.connect();
      bench.defer(() => client.destroy());
      const emitter = new Emitter(client);
      return {
        pids,
        port,
        helpers: { redis: redis.pid },
        entrances: [entrance(null)],
        // Packet 42: an event in the default namespace.
        delivery: (text) => ({
          bytes: Buffer.byteLength(`42${JSON.stringify([EVENT, text])}`),
          coalesced: false,
        }),
        say: (text, times) => {
          for (let time = 0; time < times; time += 1) emitter.to(ROOM).emit(EVENT, text);
        },
      };
    },
    async startSockets(bench, jwks) {
      const { pids, port } = await startServer(bench, engine, jwks);
      return {
        pids,
        port,
        entrance: (token, room) => entrance({ token, ...(room === null ? {} : { room }) }),
      };
    },
  };
}

async function startServer(
  bench: Bench,
  engine: SocketioRequest['engine'],
  jwks: JSONWebKeySet | null,
): Promise<{ redis: Redis; pids: number[]; port: number }> {
  const redis = await startRedis(bench);
  const entry = `${import.meta.dirname}/main.ts`;
  const server = await HelperProcess.start<SocketioRequest, number>('Socket.IO', entry);
  bench.defer(() => server.stop());
  bench.cores.pin(server.pid, CORE.underTest);
  return {
    redis,
    pids: [server.pid],
    port: await server.ask({ redisPort: redis.port, engine, jwks }, 10_000),
  };
}
