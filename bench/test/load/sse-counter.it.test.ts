import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { SseCounter } from '../../src/load/sse-counter.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** Answers with this status and these events, and keeps the response open if told so. */
async function serve(status: number, events: string[], isEnded: boolean): Promise<number> {
  const server = createServer((_request, response) => {
    response.writeHead(status, { connection: 'close', 'x-tilde': '~' });
    for (const event of events) response.write(event);
    if (isEnded) response.end();
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const options = (port: number) => ({ port, path: '/', headers: {}, mark: () => '~'.charCodeAt(0) });

describe('SseCounter', () => {
  it('counts the mark in events, and not in the head', async () => {
    const port = await serve(200, ['data: ~a\n\n', 'data: b\n\ndata: ~c\n\n'], false);
    let marks = 0;
    await new Promise<void>((resolve, reject) => {
      const onMarks = (count: number) => {
        marks += count;
        if (marks === 2) resolve();
      };
      new SseCounter({ ...options(port), onMarks, onLost: (why) => reject(new Error(why)) }, () => undefined);
    });
    expect(marks).toBe(2);
  });

  it('says why a response is none that it can read', async () => {
    const port = await serve(401, [], true);
    const why = await new Promise((onLost, reject) => {
      const isReady = () => reject(new Error('it took the response'));
      new SseCounter({ ...options(port), onMarks: () => undefined, onLost }, isReady);
    });
    expect(why).toBe('HTTP/1.1 401 Unauthorized');
  });

  it('tells that the server has gone', async () => {
    const port = await serve(200, ['data: ~a\n\n'], true);
    const why = await new Promise((onLost) => {
      new SseCounter({ ...options(port), onMarks: () => undefined, onLost }, () => undefined);
    });
    expect(why).toBe('the server closed the connection');
  });
});
