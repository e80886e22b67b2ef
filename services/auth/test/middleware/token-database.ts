/** A small HTTP token store, as seeds/000 means it; it can be told to misbehave. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface TokenDatabase {
  /** What `database_api_path` is set to. */
  path: string;
  tokens: Map<string, { access_token: string; refresh_token: string }>;
  /** Requests so far: method, path with query, the header `api-key`. */
  requests: string[];
  /** Answers in another way; null for its own. */
  answerWith(listener: RequestListener | null): void;
  stop(): Promise<void>;
}

export async function startTokenDatabase(): Promise<TokenDatabase> {
  const tokens: TokenDatabase['tokens'] = new Map();
  const requests: string[] = [];
  let other: RequestListener | null = null;
  const server = createServer(async (request, response) => {
    requests.push(`${request.method} ${request.url} ${request.headers['api-key']}`);
    if (other !== null) return other(request, response);
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://store');
    if (pathname !== '/db/token') return void response.writeHead(404).end();
    if (request.method === 'POST') {
      const { client_id, ...pair } = JSON.parse(await bodyOf(request));
      tokens.set(client_id, pair);
      return void response.writeHead(201).end();
    }
    const found = tokens.get(searchParams.get('client_id') ?? '');
    if (found === undefined) return void response.writeHead(404).end();
    response.end(JSON.stringify({ data: found }));
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
    path: `http://127.0.0.1:${(server.address() as AddressInfo).port}/db`,
    tokens,
    requests,
    answerWith: (listener) => {
      other = listener;
    },
    stop,
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text;
}
