/** A real nats-server for one test, which the test may kill and start again. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Broker,
  findBroker,
  freePort,
  type ServiceName,
  serviceKeyFile,
  startBroker,
} from '@natter/runtime';

export interface NatsServerOptions {
  /** Default: a temporary directory, removed by `stop`. */
  dataDir?: string;
  /** Default: a free one. */
  port?: number;
  /** Lines in nats-server's own syntax. */
  configExtra?: string;
  /** Only the services may sign in, as under `npm start`. Default: anybody may. */
  signIn?: boolean;
}

export interface NatsServer {
  readonly url: string;
  readonly port: number;
  readonly dataDir: string;
  readonly pid: number;
  /** The file with a service's key, or undefined where anybody may sign in. */
  keyFile(service: ServiceName): string | undefined;
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
  const start = () =>
    startBroker({ binary, port, dataDir, extra: options.configExtra, signIn: options.signIn });
  let broker: Broker = await start();
  return {
    url: broker.url,
    keyFile: (service) => (options.signIn ? serviceKeyFile(dataDir, service) : undefined),
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
