/** Server-sent events for tests: one GET request, read as a client that knows nothing of us would. */
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import type { Frame } from '@natter/testkit';

export interface LogEvent {
  /** Empty where it has none. */
  id: string;
  data: Frame;
}

/** The server answered with something else than a stream. */
export class StreamRefused extends Error {
  readonly code = 'STREAM_REFUSED';
  readonly status: number;
  readonly body: Frame;
  constructor(status: number, body: string) {
    super(`the request was answered with ${status}: ${body.slice(0, 500)}`);
    this.status = status;
    this.body = JSON.parse(body);
  }
}

/** Resolves when the head of a stream has come; rejects with StreamRefused or a connection's error. */
export async function openLogEvents(url: string, headers: Record<string, string>): Promise<LogEventStream> {
  const asking = request(url, { headers: { accept: 'text/event-stream', ...headers }, agent: false });
  asking.end();
  const [response] = (await once(asking, 'response')) as [IncomingMessage];
  if (response.statusCode === 200) return new LogEventStream(response);
  let body = '';
  for await (const chunk of response.setEncoding('utf8')) body += chunk;
  throw new StreamRefused(response.statusCode ?? 0, body);
}

export class LogEventStream {
  readonly response: IncomingMessage;
  readonly events: LogEvent[] = [];
  /** Resolves when the connection is gone, whoever ended it. */
  readonly closed: Promise<void>;
  /** Called for each event, from the next one on. */
  onEvent: (event: LogEvent) => void = () => undefined;
  #text = '';

  constructor(response: IncomingMessage) {
    this.response = response;
    // A connection that breaks is an error to Node; `closed` tells.
    response.on('error', () => undefined);
    this.closed = new Promise((resolve) => void response.once('close', resolve));
    response.setEncoding('utf8').on('data', (text: string) => this.#take(text));
  }

  /** Breaks the connection as a lost network does. */
  cut(): void {
    this.response.destroy();
  }

  #take(text: string): void {
    const blocks = (this.#text + text).split('\n\n');
    this.#text = blocks.pop() ?? '';
    for (const block of blocks) {
      const event = parsed(block);
      if (event === null) continue;
      this.events.push(event);
      this.onEvent(event);
    }
  }
}

/** Null for a block without data: a comment, or a word on when to come back. */
function parsed(block: string): LogEvent | null {
  const fields = new Map(block.split('\n').map((line) => line.split(/: (.*)/s, 2) as [string, string]));
  const data = fields.get('data');
  return data === undefined ? null : { id: fields.get('id') ?? '', data: JSON.parse(data) };
}
