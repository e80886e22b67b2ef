/** Peers that ask for a token: who has one of the stack's is let in, nobody else. */
import { exportJWK, generateKeyPair, type JSONWebKeySet, SignJWT } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Entrance } from '../../src/load/entrance.ts';
import { openSocket } from '../../src/load/open-socket.ts';
import type { SocketsPeer } from '../../src/peers/peer.ts';
import { PEERS } from '../../src/peers/registry.ts';
import { runBench } from './run-bench.ts';

/** In the frame that refuses a token; the others close the connection. */
const REFUSALS: Record<string, string> = {
  socketio: '44{"message"',
  'socketio-uws': '44{"message"',
};

const peers = PEERS.filter(({ startSockets }) => startSockets !== undefined);
let jwks: JSONWebKeySet;
let good: string;
let stranger: string;

beforeAll(async () => {
  const keys = [await generateKeyPair('EdDSA'), await generateKeyPair('EdDSA')] as const;
  const sign = ({ privateKey }: (typeof keys)[number]) =>
    new SignJWT({ sub: 'user-1', name: 'User One' })
      .setProtectedHeader({ alg: 'EdDSA' })
      .setExpirationTime('1h')
      .sign(privateKey);
  jwks = { keys: [{ ...(await exportJWK(keys[0].publicKey)), alg: 'EdDSA' }] };
  good = await sign(keys[0]);
  stranger = await sign(keys[1]);
});

describe.each(peers)('a connection to $title', (peer) => {
  it('is let in with a token that the keys have signed, with or without a room, and else not', async ({
    skip,
  }) => {
    const why = peer.missing();
    skip(why !== null, why ?? '');
    await runBench(async (bench) => {
      const server = (await peer.startSockets?.(bench, jwks)) as SocketsPeer;
      const { port, entrance } = server;
      const open = (way: Entrance) =>
        openSocket({ port, ...way, onData: () => undefined, onLost: () => undefined });
      const sockets = [await open(entrance(good, null)), await open(entrance(good, 'room-1'))];
      const refusal = REFUSALS[peer.name] ?? null;
      const stranded = open({ ...entrance(stranger, null), ...(refusal && { readyMark: refusal }) });
      if (refusal === null) await expect(stranded).rejects.toThrow('closed');
      else sockets.push(await stranded);
      for (const socket of sockets) socket.drop();
    });
  });
});
