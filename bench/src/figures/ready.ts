/** How long people wait for `npm start`, and what a gateway needs before anybody came. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { freePort } from '@natter/runtime';
import { ServiceProcess, startStack } from '@natter/testkit';
import type { Bench, Figure, FigureResult, Measurement, Size } from '../bench.ts';
import { CoreWatch } from '../measure/core-watch.ts';
import { medianInterval } from '../measure/interval.ts';
import { memory } from '../measure/process-meter.ts';

const ROUNDS: Record<Size, number> = { tiny: 1, quick: 1, full: 12 };
const ROOT = resolve(import.meta.dirname, '../../..');
const START_MS = 60_000;

export const ready: Figure = {
  name: 'ready',
  title: 'Time until ready',
  async run(bench): Promise<FigureResult> {
    bench.cores.pin(process.pid, 'any');
    const cores = new CoreWatch();
    const stop = cores.start();
    const dataDir = mkdtempSync(join(tmpdir(), 'natter-bench-'));
    bench.defer(() => rmSync(dataDir, { recursive: true, force: true }));
    const [first, ...stack] = await repeat(bench, () => startAndStopAll(bench, dataDir));
    const [, ...gateways] = await startGateways(bench);
    stop();
    return {
      measurements: [
        row('ready.stack', '`npm start`, installed, until its ready line', 's', stack),
        {
          id: 'ready.first',
          label: 'the first one: nothing compiled, no streams',
          value: first as number,
          unit: 's',
        },
        row(
          'ready.gateway',
          'gateway, from fork until ready',
          's',
          gateways.map(({ seconds }) => seconds),
        ),
        row(
          'ready.gateway-rss',
          'gateway, RSS when ready',
          'MB',
          gateways.map(({ rss }) => rss / 1e6),
        ),
        row(
          'ready.gateway-pss',
          'gateway, PSS when ready',
          'MB',
          gateways.map(({ pss }) => pss / 1e6),
        ),
      ],
      cores: cores.use(),
      details: { first, stack, gateways },
    };
  },
};

/** The first compiles and makes streams: it does not count with the others. */
async function repeat<T>(bench: Bench, once: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let round = 0; round <= ROUNDS[bench.size]; round += 1) results.push(await once());
  return results;
}

/** Seconds from the start of npm to the line that says so; the data of earlier rounds is found. */
async function startAndStopAll(bench: Bench, dataDir: string): Promise<number> {
  const { PATH = '', HOME = '' } = process.env;
  const env = {
    PATH,
    HOME,
    PORT: String(await freePort()),
    NATTER_DATA_DIR: dataDir,
    NODE_COMPILE_CACHE: join(dataDir, 'compile'),
    // A .env of the person who measures must not decide which model answers.
    OPENAI_API_KEY: '',
    OPENROUTER_API_KEY: '',
    OPENAI_BASE_URL: '',
    NATS_URL: '',
  };
  const begin = performance.now();
  const child = spawn('npm', ['start'], { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<void>((done) => child.once('close', () => done()));
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  bench.defer(stop);
  let output = '';
  await new Promise<void>((done, fail) => {
    const timer = setTimeout(() => fail(new Error(`npm start was not ready:\n${output}`)), START_MS);
    const take = (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-4_000);
      if (!output.includes('Natter is ready')) return;
      clearTimeout(timer);
      done();
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.once('error', fail);
    void ended.then(() => fail(new Error(`npm start ended:\n${output}`)));
  });
  const seconds = (performance.now() - begin) / 1_000;
  await stop();
  return seconds;
}

async function startGateways(bench: Bench) {
  // An agent has made the streams, and everybody else is up: what is timed is the gateway alone.
  const stack = await startStack({ gateways: 0, env: { LOG_LEVEL: 'warn' } });
  bench.defer(() => stack.stop());
  const { nats } = stack;
  const keyFile = nats.keyFile('gateway');
  const { PATH = '', HOME = '' } = process.env;
  const env = {
    PATH,
    HOME,
    PORT: '0',
    GATEWAY_PROCESSES: '1',
    NATTER_ROOT: ROOT,
    NATS_URL: nats.url,
    ...(keyFile === undefined ? {} : { NATTER_NATS_NKEY_FILE: keyFile }),
    LOG_LEVEL: 'warn',
    NODE_COMPILE_CACHE: join(ROOT, 'node_modules/.cache/compile'),
  };
  return repeat(bench, async () => {
    const begin = performance.now();
    const entry = join(ROOT, 'services/gateway/src/main.ts');
    const gateway = await ServiceProcess.start({ name: 'gateway', entry, env });
    const seconds = (performance.now() - begin) / 1_000;
    const used = memory(gateway.pid);
    await gateway.stop();
    return { seconds, ...used };
  });
}

function row(id: string, label: string, unit: string, values: number[]): Measurement {
  const { median, ...interval } = medianInterval(values);
  return { id, label, value: median, unit, interval };
}
