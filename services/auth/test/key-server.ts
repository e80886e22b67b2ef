/** A small identity provider: serves a key set over HTTP and can be told to misbehave. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface KeyServer {
  url: string;
  /** How often the key set was asked for. */
  readonly requests: number;
  /** Publishes one new RSA key in place of all others. */
  rotate(kid: string): KeyObject;
  /** Answers in another way than with the key set; null for the key set. */
  answerWith(listener: RequestListener | null): void;
  /** Answers with the key set after all. */
  respond: RequestListener;
  stop(): Promise<void>;
}

export async function startKeyServer(): Promise<KeyServer> {
  let keys: object[] = [];
  let requests = 0;
  let other: RequestListener | null = null;
  const respond: RequestListener = (_request, response) => void response.end(JSON.stringify({ keys }));
  const server = createServer((request, response) => {
    requests += 1;
    (other ?? respond)(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = async () => {
    if (!server.listening) return;
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  onTestFinished(stop);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`,
    get requests() {
      return requests;
    },
    rotate: (kid) => {
      const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
      keys = [{ ...publicKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' }];
      return privateKey;
    },
    answerWith: (listener) => {
      other = listener;
    },
    respond,
    stop,
  };
}
