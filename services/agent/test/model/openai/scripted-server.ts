/** A model server of a few lines: the n-th request gets the n-th reply, the last one all further ones. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ScriptedRequest {
  headers: IncomingHttpHeaders;
  // biome-ignore lint/suspicious/noExplicitAny: tests look at any field of what was sent
  body: any;
}

export type ScriptedReply = (response: ServerResponse) => void;

export interface ScriptedServer {
  url: string;
  requests: ScriptedRequest[];
  /** Most requests that were open at the same time. */
  readonly mostOpen: number;
  close(): Promise<void>;
}

export async function startScriptedServer(...replies: ScriptedReply[]): Promise<ScriptedServer> {
  const requests: ScriptedRequest[] = [];
  let open = 0;
  let mostOpen = 0;
  const server = createServer((request, response) => {
    open += 1;
    mostOpen = Math.max(mostOpen, open);
    response.on('close', () => {
      open -= 1;
    });
    const parts: Buffer[] = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      requests.push({ headers: request.headers, body: JSON.parse(Buffer.concat(parts).toString()) });
      replies[Math.min(requests.length, replies.length) - 1]?.(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    get mostOpen() {
      return mostOpen;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export function sse(response: ServerResponse, ...chunks: unknown[]): void {
  if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const chunk of chunks)
    response.write(`data: ${typeof chunk === 'string' ? chunk : JSON.stringify(chunk)}\n\n`);
}

/** A chunk with this delta. */
export function delta(fields: Record<string, unknown>, finish: string | null = null) {
  return {
    id: 'c1',
    object: 'chat.completion.chunk',
    model: 'scripted-1',
    choices: [{ index: 0, delta: fields, finish_reason: finish }],
  };
}

export function usage(prompt: number, completion: number) {
  return { choices: [], usage: { prompt_tokens: prompt, completion_tokens: completion } };
}

/** A whole reply with these texts. */
export function says(...texts: string[]): ScriptedReply {
  return (response) => {
    sse(response, delta({ role: 'assistant', content: '' }), ...texts.map((content) => delta({ content })));
    sse(response, delta({}, 'stop'), usage(10, texts.length), '[DONE]');
    response.end();
  };
}

export function fails(status: number, headers: Record<string, string> = {}): ScriptedReply {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify({ error: { message: `scripted ${status}` } }));
  };
}
