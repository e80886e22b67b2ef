/** `npm start`: the broker, the demo model and every service, each a process of its own. */
import { join, resolve } from 'node:path';
import { freePort, isFree, type ServiceName, serviceKeyFile } from '@natter/runtime/broker';
import { brokerBinary, brokerProcess, reachBroker } from './start/broker.ts';
import { lockDataDir } from './start/data-dir-lock.ts';
import { loadDotEnv, sharedEnvironment, wantsDemoModel, withInternalPort } from './start/environment.ts';
import { greeting } from './start/greeting.ts';
import { formatLine } from './start/log-printer.ts';
import { describeMasterToken } from './start/master-token.ts';
import { forkService } from './start/service-process.ts';
import { readSettings, type StartConfig } from './start/settings.ts';
import { StartError } from './start/start-error.ts';
import { Supervisor } from './start/supervisor.ts';

const root = resolve(import.meta.dirname, '..');
const say = (text: string) => void process.stderr.write(`${text}\n`);
let stopping = false;
const supervisor = new Supervisor({ warn: say, gaveUp: (sentence) => void fail(new StartError(sentence)) });

stopOnSignals();
try {
  loadDotEnv(root);
  process.stdout.write(await start(readSettings(process.env)));
} catch (error) {
  await fail(error);
}

/** Starts everything and returns the greeting. */
async function start(config: StartConfig): Promise<string> {
  for (const name of config.unknown) say(`${name} is set, but nobody reads a variable of this name.`);
  const dataDir = resolve(root, config.dataDir);
  // Unset and set to the default are not the same here: unset means a broker of our own.
  const { NATS_URL } = process.env;
  if (config.port !== 0 && !(await isFree(config.port, config.host))) throw portTaken(config.port);
  await lockDataDir(dataDir);

  const natsUrl = NATS_URL || (await startBroker(dataDir, config.natsPort));
  if (NATS_URL) await reachBroker(NATS_URL, config.natsNkeyFile);

  const demoModel = wantsDemoModel(process.env);
  const demoPort = demoModel ? config.demoModelPort || (await freePort()) : null;
  const shared = sharedEnvironment(process.env, config, { root, natsUrl, demoPort });
  const run = (name: string, entry: string, env: Record<string, string | undefined>) =>
    supervisor.keep(name, () =>
      forkService({
        name,
        entry: join(root, entry),
        env: env as NodeJS.ProcessEnv,
        line: (text) => say(formatLine(name, text)),
        stopTimeoutMs: config.shutdownTimeoutMs + 1_000,
      }),
    );
  const environment = (service: ServiceName, index: number) => ({
    ...withInternalPort(shared, config.internalPort, index),
    // A broker of our own lets only the services in, each with its key.
    ...(NATS_URL ? {} : { NATTER_NATS_NKEY_FILE: serviceKeyFile(brokerDir(dataDir), service) }),
  });

  // Stopped in the reverse order: nobody loses what it still needs in order to finish.
  const demo = demoModel
    ? run('demo model', 'demo-model/src/main.ts', { ...shared, DEMO_MODEL_PORT: `${demoPort}` })
    : null;
  const auth = run('auth', 'services/auth/src/main.ts', environment('auth', 2));
  const uploads = run('uploads', 'services/uploads/src/main.ts', environment('uploads', 3));
  const agent = run('agent', 'services/agent/src/main.ts', environment('agent', 1));
  const gateway = run('gateway', 'services/gateway/src/main.ts', environment('gateway', 0));
  const [{ http }] = await Promise.all([gateway.ready, agent.ready, auth.ready, uploads.ready, demo?.ready]);
  const masterToken = await describeMasterToken(process.env, root, dataDir);
  return greeting({ host: config.host, port: http ?? config.port, demoModel, masterToken });
}

function brokerDir(dataDir: string): string {
  return join(dataDir, 'nats');
}

/** Starts nats-server; returns its URL. */
async function startBroker(dataDir: string, wantedPort: number): Promise<string> {
  const binary = brokerBinary(process.env.PATH ?? '');
  const port = wantedPort || (await freePort());
  if (wantedPort !== 0 && !(await isFree(wantedPort)))
    throw new StartError(`Port ${wantedPort} is in use; set NATTER_NATS_PORT to another one.`);
  const line = (text: string) => {
    if (/\[(WRN|ERR|FTL)\]/.test(text)) say(`nats-server: ${text}`);
  };
  const options = { binary, port, dataDir: brokerDir(dataDir), signIn: true, line };
  await supervisor.keep('broker', () => brokerProcess(options)).ready;
  return `nats://127.0.0.1:${port}`;
}

function portTaken(port: number): StartError {
  return new StartError(`Port ${port} is in use; set PORT to another one.`);
}

/** One sentence, everything stopped, exit code 1. */
async function fail(error: unknown): Promise<void> {
  // What ends because a person stopped it is no failure.
  if (stopping) return;
  stopping = true;
  say(error instanceof StartError ? error.message : String((error as Error).stack ?? error));
  await supervisor.stop();
  process.exit(1);
}

function stopOnSignals(): void {
  let firstAt: number | null = null;
  const stop = () => {
    if (firstAt === null) {
      firstAt = Date.now();
      stopping = true;
      return void supervisor.stop().then(() => process.exit(0));
    }
    // npm and the terminal both pass Ctrl-C on; only a person presses it again a second later.
    if (Date.now() - firstAt < 1_000) return;
    supervisor.kill();
    process.exit(1);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  // run.mjs killed by SIGKILL sends nothing; its death shows as a new parent.
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    stop();
  }, 250);
}
