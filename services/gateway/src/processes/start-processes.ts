/** The parent of several gateways on one port: no sockets, no bus, one internal port for all. */
import type { BaseConfig, Logger, Running } from '@natter/runtime/process';
import { Metrics, startInternalServer } from '@natter/runtime/process';
import { registerProcessesMetrics } from '../metrics.ts';
import { askProcess } from './ask-process.ts';
import { claimPort } from './claim-port.ts';
import { forkGateway } from './gateway-process.ts';
import { GatewayProcesses, type Serving } from './gateway-processes.ts';
import { mergeMetrics } from './merge-metrics.ts';

export interface ProcessesConfig
  extends Pick<BaseConfig, 'internalHost' | 'internalPort' | 'shutdownTimeoutMs'> {
  host: string;
  port: number;
  maxConnections: number;
  count: number;
  /** Path of main.ts. */
  entry: string;
  /** Environment of this process. */
  env: NodeJS.ProcessEnv;
}

export interface RunningProcesses extends Running {
  /** Replaces one after the other by a new one. */
  replaceAll(): Promise<void>;
}

const TICK_MS = 1_000;
/** Of the time a stop may take; then what still runs is killed, as a process that hangs outlives its parent. */
const STOP_SHARE = 0.9;

/** Rejects when the port is taken or a gateway can't start; then none is left. */
export async function startProcesses(config: ProcessesConfig, log: Logger): Promise<RunningProcesses> {
  const { host, count, maxConnections, shutdownTimeoutMs, internalHost, internalPort } = config;
  const claim = await claimPort(host, config.port);
  const env = {
    ...config.env,
    PORT: String(claim.port),
    // Their internal ports are for us alone.
    NATTER_INTERNAL_HOST: '127.0.0.1',
    NATTER_INTERNAL_PORT: '0',
  };
  const stopTimeoutMs = shutdownTimeoutMs * STOP_SHARE;
  const metrics = new Metrics('gateway');
  const { restarts } = registerProcessesMetrics(metrics, () => processes.serving.length);
  const processes = new GatewayProcesses({
    count,
    maxConnections,
    fork: (index) => forkGateway({ index, of: count, entry: config.entry, env, stopTimeoutMs }),
    restarted: () => restarts.inc(),
    log,
  });
  const internal = await startInternalServer({
    host: internalHost,
    port: internalPort,
    metrics: { expose: () => exposeAll(processes.serving, metrics), contentType: metrics.contentType },
    notReady: () => notReady(processes.serving),
  });
  await processes.start();
  const timer = setInterval(() => processes.tick(), TICK_MS);
  return {
    bus: null,
    metrics,
    ports: { http: claim.port, internal: internal.port },
    gaveUp: processes.gaveUp,
    replaceAll: () => processes.replaceAll(),
    async stop() {
      clearInterval(timer);
      await processes.stop();
      await internal.close();
      claim.release();
    },
  };
}

/** Ready when one is: the kernel gives connections only to those that listen. */
async function notReady(serving: readonly Serving[]): Promise<string | null> {
  const answers = await Promise.all(serving.map(({ internalPort }) => askProcess(internalPort, '/readyz')));
  if (answers.some((answer) => answer?.status === 200)) return null;
  const reasons = answers.flatMap((answer, at) =>
    answer === null ? [] : [`process ${serving[at]?.index}: ${answer.body.trim()}`],
  );
  return reasons.join('; ') || 'no gateway process is ready';
}

/** Those of the parent have the label `process="parent"`; a process that doesn't answer is left out. */
async function exposeAll(serving: readonly Serving[], own: Metrics): Promise<string> {
  const answers = await Promise.all(
    serving.map(async ({ index, internalPort }) => {
      const answer = await askProcess(internalPort, '/metrics');
      return answer?.status === 200 ? [{ process: String(index), text: answer.body }] : [];
    }),
  );
  return mergeMetrics([{ process: 'parent', text: await own.expose() }, ...answers.flat()]);
}
