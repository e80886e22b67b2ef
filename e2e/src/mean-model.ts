/** A model server that passes requests on, or tells in its errors everything that it was sent. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export const MEAN_WAYS = ['refuses', 'is overloaded', 'talks nonsense', 'breaks off'] as const;
export type MeanWay = (typeof MEAN_WAYS)[number];

export interface MeanModel {
  readonly port: number;
  /** Null: passes on. */
  way: MeanWay | null;
  /** Where to: the address of a model server up to and with `/v1`. */
  target: string;
  /** Requests that it has answered in its own way. */
  readonly meanAnswers: number;
  close(): Promise<void>;
}

export async function startMeanModel(): Promise<MeanModel> {
  let meanAnswers = 0;
  const server = createServer((request, response) => {
    void answer(request, response).catch(() => response.destroy());
  });
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await text(request);
    if (model.way === null) return passOn(model.target, body, response);
    meanAnswers += 1;
    const { method, url, headers } = request;
    // As a proxy does whose author was debugging.
    const key = headers.authorization?.replace('Bearer ', '');
    const message = `Incorrect API key provided: ${key}. ${headers.authorization} in ${method} ${url} ${JSON.stringify(headers)}`;
    misbehave(model.way, message, response);
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const model = {
    port: (server.address() as AddressInfo).port,
    way: null as MeanWay | null,
    target: '',
    get meanAnswers() {
      return meanAnswers;
    },
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  return model;
}

async function passOn(target: string, body: string, response: ServerResponse): Promise<void> {
  const headers = { 'content-type': 'application/json', authorization: 'Bearer demo' };
  const answer = await fetch(`${target}/chat/completions`, { method: 'POST', headers, body });
  response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
  for await (const piece of answer.body ?? []) response.write(piece);
  response.end();
}

function misbehave(way: MeanWay, message: string, response: ServerResponse): void {
  const error = JSON.stringify({
    error: { message, type: 'invalid_request_error', code: message, param: message },
  });
  if (way === 'refuses') response.writeHead(401, { 'content-type': 'application/json' }).end(error);
  else if (way === 'is overloaded') response.writeHead(503, { 'content-type': 'text/plain' }).end(message);
  else {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'x-debug': encodeURI(message) });
    if (way === 'talks nonsense') response.end(`data: ${message}\n\n`);
    else response.write(`data: ${error}\n\n`, () => response.destroy());
  }
}
