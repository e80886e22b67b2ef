import { once } from 'node:events';
import { createServer, globalAgent, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { post, StreamedResponse } from '../../../src/model/openai/post.ts';

let server: Server;
const connections: Socket[] = [];
afterEach(() => {
  connections.length = 0;
  server.closeAllConnections();
  server.close();
});

async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener);
  server.on('connection', (socket) => connections.push(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/x?y=z`;
}

const never = new AbortController().signal;

async function bodyOf(response: Response, signal = never): Promise<string> {
  if (!(response instanceof StreamedResponse)) throw new Error('not streamed');
  let text = '';
  await response.read(signal, (bytes) => {
    text += bytes;
    return false;
  });
  return text;
}

describe('a request', () => {
  it('arrives with its method, path, headers and body, and asks for plain bytes', async () => {
    const url = await serve((request, response) => {
      let body = '';
      request.on('data', (piece) => {
        body += piece;
      });
      request.on('end', () =>
        response.end(JSON.stringify([request.method, request.url, request.headers, body])),
      );
    });
    const headers = new Headers({ authorization: 'Bearer k', 'content-type': 'application/json' });
    const answer = await post(url, { method: 'POST', headers, body: '{"ü":1}' });
    const [method, path, heard, body] = JSON.parse(await bodyOf(answer));
    expect([method, path, body]).toEqual(['POST', '/v1/x?y=z', '{"ü":1}']);
    expect(heard).toMatchObject({
      authorization: 'Bearer k',
      'content-type': 'application/json',
      'content-length': '8',
      'accept-encoding': 'identity',
    });
  });

  it('uses a connection again, also when the reader had enough before the end', async () => {
    const url = await serve((_request, response) => {
      response.write('enough');
      setImmediate(() => response.end(' and more'));
    });
    for (let n = 0; n < 3; n += 1) {
      const answer = (await post(url)) as StreamedResponse;
      const free = once(globalAgent, 'free');
      await answer.read(never, (bytes) => String(bytes).includes('enough'));
      await free;
    }
    expect(connections).toHaveLength(1);
  });

  it('that is refused says so, with what the server said', async () => {
    const url = await serve((_request, response) => {
      response.writeHead(429, { 'retry-after': '7' });
      response.end('slow down');
    });
    const answer = await post(url);
    expect([answer.status, answer.ok, answer.headers.get('retry-after')]).toEqual([429, false, '7']);
    expect(await answer.text()).toBe('slow down');
  });

  it('that is refused at endless length is cut', async () => {
    const url = await serve((_request, response) => {
      response.writeHead(500);
      const write = () => {
        while (response.write('x'.repeat(16_384)));
      };
      response.on('drain', write);
      write();
    });
    expect((await (await post(url)).text()).length).toBe(64 * 1024);
  });

  it('is not sent on to where a server points', async () => {
    let requests = 0;
    const url = await serve((_request, response) => {
      requests += 1;
      response.writeHead(307, { location: '/elsewhere' });
      response.end();
    });
    expect((await post(url)).status).toBe(307);
    expect(requests).toBe(1);
  });

  it('answered with a status that is none fails', async () => {
    const url = await serve((_request, response) => response.writeHead(999).end('x'));
    await expect(post(url)).rejects.toThrow(RangeError);
  });

  it('answered with compressed bytes is a bad reply', async () => {
    const url = await serve((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' });
      response.end(gzipSync('data: 1\n\n'));
    });
    await expect(bodyOf(await post(url))).rejects.toMatchObject({ code: 'BAD_REPLY' });
  });

  it('to nobody fails', async () => {
    const url = await serve(() => undefined);
    server.close();
    await expect(post(url)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});

describe('an abort', () => {
  it('before the answer is told with its reason and closes the connection', async () => {
    const closed = Promise.withResolvers<void>();
    const abort = new AbortController();
    const reason = new Error('enough');
    const url = await serve((request) => {
      request.on('close', () => closed.resolve());
      abort.abort(reason);
    });
    await expect(post(url, { signal: abort.signal })).rejects.toBe(reason);
    await closed.promise;
  });

  it('between the answer and its reader is told to the reader', async () => {
    const closed = Promise.withResolvers<void>();
    const abort = new AbortController();
    const reason = new Error('enough');
    const url = await serve((_request, response) => {
      response.on('close', () => closed.resolve());
      response.write('x');
    });
    const answer = await post(url, { signal: abort.signal });
    abort.abort(reason);
    await closed.promise;
    await expect(bodyOf(answer, abort.signal)).rejects.toBe(reason);
  });

  it('while the body comes is told with its reason and closes the connection', async () => {
    const closed = Promise.withResolvers<void>();
    const abort = new AbortController();
    const reason = new Error('enough');
    const url = await serve((_request, response) => {
      response.on('close', () => closed.resolve());
      response.write('x');
    });
    const answer = (await post(url)) as StreamedResponse;
    const reading = answer.read(abort.signal, () => {
      abort.abort(reason);
      return false;
    });
    await expect(reading).rejects.toBe(reason);
    await closed.promise;
  });
});

it('a connection that breaks within the body is an error', async () => {
  const url = await serve((_request, response) => {
    response.write('x');
    setImmediate(() => response.destroy());
  });
  await expect(bodyOf(await post(url))).rejects.toMatchObject({ code: 'ECONNRESET' });
});
