/** The demo model: an OpenAI-compatible server that quotes the passages in its prompt. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Behaviour, Fault } from './behaviour/behaviour.ts';
import { BehaviourControl } from './behaviour/behaviour-control.ts';
import { Ticker } from './delivery/ticker.ts';
import { ChatCompletions } from './http/chat-completions.ts';
import { type RecordedRequest, RequestRecord } from './http/request-record.ts';
import { createRoutes } from './http/routes.ts';

export type { Behaviour, Fault } from './behaviour/behaviour.ts';
export type { RecordedRequest } from './http/request-record.ts';

export interface DemoModelOptions {
  host: string;
  /** 0 picks a free port. */
  port: number;
  /** Default 60; 0 means as fast as the client reads. */
  tokensPerSecond?: number;
  /** Default 0. */
  firstTokenMs?: number;
  /** Default none. */
  faults?: Fault;
  /** Default: the machine's clock. */
  now?: () => Date;
  /** Gets errors of our own making; the request is answered with 500 either way. Default: ignored. */
  onError?: (error: unknown) => void;
}

export interface DemoModel {
  /** Base URL for an OpenAI client: http://127.0.0.1:1234/v1 */
  url: string;
  port: number;
  /** Cuts what is under way and stops listening. */
  close(): Promise<void>;
  /** Changes the fields given, for requests from now on. Throws ApiError on bad values. */
  setBehaviour(change: Partial<Behaviour>): void;
  /** The last chat requests (2,000 or 16 MiB), oldest first. */
  readonly requests: RecordedRequest[];
}

/** Listens; rejects with the error of `listen` (EADDRINUSE …). */
export async function startDemoModel(options: DemoModelOptions): Promise<DemoModel> {
  const control = new BehaviourControl();
  control.set({
    tokensPerSecond: options.tokensPerSecond,
    firstTokenMs: options.firstTokenMs,
    fault: options.faults,
  });
  const record = new RequestRecord();
  const ticker = new Ticker();
  const now = options.now ?? (() => new Date());
  const completions = new ChatCompletions({ control, record, ticker, now });
  const server = createServer(createRoutes({ completions, control, onError: options.onError ?? (() => {}) }));
  await listen(server, options.host, options.port);
  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    url: `http://${host}:${port}/v1`,
    port,
    close: () =>
      new Promise((resolve) => {
        ticker.stop();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
    setBehaviour: (change) => control.set(change),
    get requests() {
      return record.list();
    },
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
