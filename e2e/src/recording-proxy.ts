/** Stands between the agents and the demo model and keeps what the model was asked. */
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface AskedMessage {
  role: string;
  content: string | null;
}

/** One request for an answer, as far as tests look at it. */
export interface AskedRequest {
  model: string;
  authorization: string | undefined;
  messages: AskedMessage[];
}

export interface RecordingProxy {
  /** For OPENAI_BASE_URL. */
  url: string;
  /** Port of the demo model; requests before it is set are cut. */
  target: number;
  /** Messages of every request for an answer so far, oldest first; classifications are left out. */
  readonly asked: AskedMessage[][];
  /** The same requests with what else they say. */
  readonly requests: AskedRequest[];
  close(): Promise<void>;
}

/** A test asks a handful of questions; more than this is a loop. */
const MAX_ASKED = 1_000;

export async function startRecordingProxy(): Promise<RecordingProxy> {
  const asked: AskedMessage[][] = [];
  const requests: AskedRequest[] = [];
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const parsed = JSON.parse(body.toString());
    const { method, url: path, headers } = incoming;
    if (parsed.response_format === undefined && asked.length < MAX_ASKED) {
      const { model, messages } = parsed;
      asked.push(messages);
      requests.push({ model, messages, authorization: headers.authorization });
    }
    const forward = request({ host: '127.0.0.1', port: proxy.target, method, path, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    forward.on('error', () => outgoing.destroy());
    forward.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy: RecordingProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    target: 0,
    asked,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return proxy;
}

/** The newest request with this question; throws when the model was not asked it. */
export function askedFor({ requests }: RecordingProxy, question: string): AskedRequest {
  const request = requests.findLast(({ messages }) => messages.at(-1)?.content === question);
  if (request === undefined) throw new Error(`the model was not asked: ${question}`);
  return request;
}

/** What the model was shown of the conversation before the question. */
export function shownBefore(proxy: RecordingProxy, question: string): (string | null)[] {
  const { messages } = askedFor(proxy, question);
  return messages.slice(0, -1).flatMap(({ role, content }) => (role === 'system' ? [] : [content]));
}
