/** The internal port of a service: /livez, /readyz and /metrics. Not for the internet. */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Metrics } from './metrics.ts';
import { http } from './node-http.ts';

export interface InternalServerOptions {
  host: string;
  /** 0 picks a free port. */
  port: number;
  metrics: Pick<Metrics, 'expose' | 'contentType'>;
  /** Null when ready, else the reason why not. */
  notReady: () => string | null | Promise<string | null>;
}

export interface InternalServer {
  port: number;
  close(): Promise<void>;
}

/** Listens; rejects with the error of `listen` (EADDRINUSE …). */
export async function startInternalServer(options: InternalServerOptions): Promise<InternalServer> {
  const server = http.createServer((request, response) => {
    const send = (status: number, type: string, body: string) =>
      response.writeHead(status, { 'content-type': type }).end(body);
    const path = request.url?.split('?')[0];
    if (path === '/livez') return send(200, 'text/plain', 'ok\n');
    if (path === '/readyz') {
      void Promise.resolve(options.notReady()).then((reason) =>
        send(reason === null ? 200 : 503, 'text/plain', `${reason ?? 'ok'}\n`),
      );
      return;
    }
    if (path === '/metrics') {
      options.metrics.expose().then(
        (text) => send(200, options.metrics.contentType, text),
        () => send(500, 'text/plain', 'metrics could not be collected\n'),
      );
      return;
    }
    return send(404, 'text/plain', 'not found\n');
  });
  await listen(server, options.host, options.port);
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
