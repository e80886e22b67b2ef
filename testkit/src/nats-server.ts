/** A real nats-server for one test, which the test may kill and start again. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Broker, findBroker, freePort, startBroker } from '@natter/runtime';

export interface NatsServerOptions {
  /** Default: a temporary directory, removed by `stop`. */
  dataDir?: string;
  /** Default: a free one. */
  port?: number;
  /** Lines in nats-server's own syntax. */
  configExtra?: string;
}

export interface NatsServer {
  readonly url: string;
  readonly port: number;
  readonly dataDir: string;
  readonly pid: number;
  /** SIGKILL; the data stays. */
  kill(): Promise<void>;
  /** SIGTERM, and the end of its temporary directory. */
  stop(): Promise<void>;
  /** Starts it again on the same port and data; stops it first if it still runs. */
  restart(): Promise<void>;
  /** SIGSTOP: it holds its connections and answers nobody. */
  pause(): void;
  resume(): void;
}

export async function startNatsServer(options: NatsServerOptions = {}): Promise<NatsServer> {
  const binary = findBroker(process.env.PATH ?? '');
  if (binary === null) throw new Error('nats-server is neither installed by npm nor on PATH');
  const port = options.port ?? (await freePort());
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'natter-nats-'));
  const start = () => startBroker({ binary, port, dataDir, extra: options.configExtra });
  let broker: Broker = await start();
  return {
    url: broker.url,
    port,
    dataDir,
    get pid() {
      return broker.pid;
    },
    kill: () => {
      broker.signal('SIGKILL');
      return broker.ended;
    },
    stop: async () => {
      broker.signal('SIGCONT');
      await broker.stop();
      if (options.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true });
    },
    restart: async () => {
      await broker.stop();
      broker = await start();
    },
    pause: () => broker.signal('SIGSTOP'),
    resume: () => broker.signal('SIGCONT'),
  };
}
