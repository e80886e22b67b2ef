/** Peers with a chat: answers come whole, token by token, from the model of the benchmark. */
import { describe, expect, it } from 'vitest';
import { chatsInTurn } from '../../src/load/chats-in-turn.ts';
import type { ChatPeer } from '../../src/peers/peer.ts';
import { PEERS } from '../../src/peers/registry.ts';
import { startTokenServer } from '../../src/token-server.ts';
import { runBench } from './run-bench.ts';

const peers = PEERS.filter(({ startChat }) => startChat !== undefined);

describe.each(peers)('the chat of $title', (peer) => {
  it('answers with every token of the model, question after question', async ({ skip }) => {
    const why = peer.missing();
    skip(why !== null, why ?? '');
    await runBench(async (bench) => {
      const model = await startTokenServer(bench);
      const chat = (await peer.startChat?.(bench, model.baseUrl)) as ChatPeer;
      const plan = {
        streams: 3,
        tokensPerSecond: 100,
        tokens: 10,
        warmUpMs: 200,
        sliceMs: 500,
        rounds: 2,
      };
      // Fails when an answer has another number of tokens than the model sent.
      const found = await chatsInTurn(bench, model, [{ ...peer, ...chat }], plan);
      expect(found.get(peer.name)?.map(({ latency }) => latency.count > 0)).toEqual([true, true]);
    });
  });
});
