/** A whole Natter of real processes: broker, demo model, auth, agents, uploads and gateways. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Behaviour } from '@natter/demo-model';
import { freePort, type ServiceName } from '@natter/runtime';
import { onTestFailed } from 'vitest';
import { type NatsServer, startNatsServer } from './nats-server.ts';
import { ServiceProcess } from './service-process.ts';
import { type TokenClaims, TokenIssuer } from './token-issuer.ts';

export interface StackOptions {
  /** Default 1 each. */
  gateways?: number;
  agents?: number;
  /** Default 0: few suites upload. */
  uploads?: number;
  /** Settings of every process; wins over what the stack itself sets. */
  env?: Record<string, string>;
  /** Settings of one gateway, by its index; wins over those of all. */
  gatewayEnv?: (index: number) => Record<string, string>;
  /** A broker of the test's own, which the stack doesn't stop. Default: a new one. */
  nats?: NatsServer;
  /** A broker that is no process of this machine; `stack.nats` throws then. */
  natsUrl?: string;
  /** How the demo model behaves from the start; its own default is 60 tokens a second. */
  demo?: Partial<Behaviour>;
}

export interface Stack {
  readonly nats: NatsServer;
  readonly auth: ServiceProcess;
  readonly agents: readonly ServiceProcess[];
  readonly uploads: readonly ServiceProcess[];
  readonly gateways: readonly ServiceProcess[];
  readonly demo: ServiceProcess & { behave(behaviour: Partial<Behaviour>): Promise<void> };
  readonly dataDir: string;
  /** `ws://127.0.0.1:<port>` of gateway `index`, default the first; append a path. */
  url(index?: number): string;
  /** `http://127.0.0.1:<port>` of the same. */
  httpUrl(index?: number): string;
  /** An access token that the stack accepts, by default for an hour. */
  token(claims: TokenClaims): Promise<string>;
  /** The last lines of every process, for the report of a failure. */
  lastWords(): string;
  /** Stops everything, gateways first, and removes its data. */
  stop(): Promise<void>;
}

const ROOT = resolve(import.meta.dirname, '../..');

const SERVICE_NAMES: Record<string, ServiceName> = {
  'services/auth': 'auth',
  'services/agent': 'agent',
  'services/uploads': 'uploads',
  'services/gateway': 'gateway',
};

/** Starts one; when a test fails that started it, what its processes wrote is printed. */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const dataDir = mkdtempSync(join(tmpdir(), 'natter-stack-'));
  const nats = options.nats ?? (options.natsUrl ? null : await startNatsServer({ signIn: true }));
  const natsUrl = nats?.url ?? options.natsUrl ?? '';
  const started: ServiceProcess[] = [];
  const demoPort = await freePort();
  const env = { ...base(dataDir, natsUrl, demoPort), ...options.env };
  const run = async (name: string, folder: string, more: Record<string, string> = {}) => {
    const entry = join(ROOT, folder, 'src/main.ts');
    const service = await ServiceProcess.start({ name, entry, env: { ...env, ...signIn(folder), ...more } });
    started.push(service);
    return service;
  };
  const signIn = (folder: string): Record<string, string> => {
    const file = SERVICE_NAMES[folder] && nats?.keyFile(SERVICE_NAMES[folder]);
    return file === undefined ? {} : { NATTER_NATS_NKEY_FILE: file };
  };
  const many = (name: string, count = 1, more?: (index: number) => Promise<Record<string, string>>) =>
    Promise.all(
      Array.from({ length: count }, async (_, index) =>
        run(`${name} ${index}`, `services/${name}`, await more?.(index)),
      ),
    );
  const stop = async () => {
    // The reverse of who needs whom; all of a kind at once.
    for (const kind of ['gateway', 'uploads', 'agent', 'auth', 'demo'])
      await Promise.all(started.filter(({ name }) => name.startsWith(kind)).map((service) => service.stop()));
    if (options.nats === undefined) await nats?.stop();
    rmSync(dataDir, { recursive: true, force: true });
  };
  const lastWords = () => started.map((service) => service.lastWords()).join('\n');

  try {
    const [demo, auth, agents, uploads, gateways] = await settled([
      run('demo model', 'demo-model', { DEMO_MODEL_PORT: String(demoPort) }),
      run('auth', 'services/auth'),
      many('agent', options.agents),
      many('uploads', options.uploads ?? 0),
      // A port of its own from the start, so that a restarted gateway is where it was.
      many('gateway', options.gateways, async (index) => ({
        PORT: String(await freePort()),
        ...options.gatewayEnv?.(index),
      })),
    ]);
    const behave = (behaviour: Partial<Behaviour>) => setBehaviour(demoPort, behaviour);
    if (options.demo) await behave(options.demo);
    const port = (index = 0) => gateways[index]?.ports.http;
    const tokens = new TokenIssuer(env);
    reportFailure(lastWords);
    return {
      get nats() {
        if (nats === null) throw new Error('the broker of this stack is not its own');
        return nats;
      },
      auth,
      agents,
      uploads,
      gateways,
      dataDir,
      demo: Object.assign(demo, { behave }),
      url: (index) => `ws://127.0.0.1:${port(index)}`,
      httpUrl: (index) => `http://127.0.0.1:${port(index)}`,
      token: (claims) => tokens.issue(claims),
      lastWords,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Like Promise.all, but waits for all before it fails: what started late must be stopped too. */
async function settled<T extends unknown[]>(promises: [...{ [K in keyof T]: Promise<T[K]> }]): Promise<T> {
  await Promise.allSettled(promises);
  return Promise.all(promises) as Promise<T>;
}

function base(dataDir: string, natsUrl: string, demoPort: number): Record<string, string> {
  const { PATH = '', HOME = '' } = process.env;
  return {
    PATH,
    HOME,
    NATTER_ROOT: ROOT,
    NATTER_DATA_DIR: dataDir,
    NATTER_ENV: 'development',
    // Also in suites that set production: they count what one process holds.
    GATEWAY_PROCESSES: '1',
    NATS_URL: natsUrl,
    LOG_LEVEL: 'info',
    OPENAI_BASE_URL: `http://127.0.0.1:${demoPort}/v1`,
    OPENAI_API_KEY: 'demo',
    NODE_COMPILE_CACHE: join(ROOT, 'node_modules/.cache/compile'),
  };
}

async function setBehaviour(port: number, behaviour: Partial<Behaviour>): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/demo/behaviour`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(behaviour),
  });
  if (!response.ok)
    throw new Error(`the demo model refused: ${response.status} ${(await response.text()).slice(0, 500)}`);
}

function reportFailure(lastWords: () => string): void {
  try {
    onTestFailed(() => void process.stderr.write(`${lastWords()}\n`));
  } catch {
    // Started in a hook, where no test runs yet: the suite uses `lastWords` itself.
  }
}
