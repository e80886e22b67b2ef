/** A small HTTP token store, as seeds/000 means it by `auth_middleware`; it can be told to misbehave. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

interface StoredPair {
  access_token: string;
  refresh_token: string;
}

interface StoreRequest {
  method: string;
  /** Path with query. */
  url: string;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface HttpTokenStore {
  /** For `database_api_path`. */
  path: string;
  tokens: Map<string, StoredPair>;
  readonly requests: StoreRequest[];
  /** Answers in another way; null for its own. */
  answerWith(listener: RequestListener | null): void;
  /** Closes the port; `up` opens the same one again. */
  down(): Promise<void>;
  up(): Promise<void>;
}

/** A test asks a few dozen times; more than this is a loop. */
const MAX_REQUESTS = 1_000;

/** `folder` is the path before `/token`. */
export async function startTokenStore(folder: string): Promise<HttpTokenStore> {
  const tokens: HttpTokenStore['tokens'] = new Map();
  const requests: StoreRequest[] = [];
  let other: RequestListener | null = null;
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { method = '', url = '', headers } = request;
    if (requests.length < MAX_REQUESTS) requests.push({ method, url, headers, body });
    if (other !== null) return other(request, response);
    const { pathname, searchParams } = new URL(url, 'http://store');
    if (pathname !== `${folder}/token`) return void response.writeHead(404).end();
    if (method === 'POST') {
      const { client_id, ...pair } = JSON.parse(body);
      tokens.set(client_id, pair);
      return void response.writeHead(201).end();
    }
    const found = tokens.get(searchParams.get('client_id') ?? '');
    if (found === undefined) return void response.writeHead(404).end();
    response.end(JSON.stringify({ data: found }));
  });
  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const port = await listen(0);
  return {
    path: `http://127.0.0.1:${port}${folder}`,
    tokens,
    requests,
    answerWith: (listener) => {
      other = listener;
    },
    up: async () => void (await listen(port)),
    down: async () => {
      if (!server.listening) return;
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
