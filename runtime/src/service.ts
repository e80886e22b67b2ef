/** The life of a service process: settings, start, ready, and one orderly stop. */
import type { Bus } from './bus/bus.ts';
import { BASE_SETTINGS } from './config/base.ts';
import { ConfigError, type ConfigOf, loadConfig, type Settings } from './config/define.ts';
import { hideSecrets, type Logger, redactText } from './logger.ts';
import { setProcessLogs } from './logs/broadcast-log.ts';
import { ProcessLogs } from './logs/process-logs.ts';
import type { Metrics } from './metrics.ts';

export type BaseConfig = ConfigOf<typeof BASE_SETTINGS>;

export interface Running {
  /** Sends no answer to new work, finishes what is under way, closes everything. */
  stop(): Promise<void>;
  /** What the parent process is told when the service is ready. */
  ports: Record<string, number>;
  /** Takes the log lines; its close, within `stop`, waits for the last ones. Null: standard output only. */
  bus: Bus | null;
  metrics: Metrics;
  /** Resolves with the reason when it can't go on by itself; the process then stops with code 1. */
  gaveUp?: Promise<Error>;
}

export interface ServiceDefinition<S extends Settings> {
  name: string;
  settings: S;
  /** In each log line, besides service and pid. */
  logFields?: Record<string, number>;
  start(config: ConfigOf<S> & BaseConfig, log: Logger): Promise<Running>;
}

/**
 * Runs a service as this process until SIGTERM, SIGINT or the death of its parent.
 *
 * Exit codes: 0 after a graceful stop, 1 when it could not start, was stopped by force, or met
 * an error nobody caught. `--check-config` reads the settings, reports, and exits.
 */
export async function runService<S extends Settings>(definition: ServiceDefinition<S>): Promise<void> {
  const { config, unknown } = readConfig(definition);
  hideSecrets(secretsOf(definition.settings, config));
  const level = config.debug && config.logLevel !== 'trace' ? 'debug' : config.logLevel;
  const { name: service, logFields: fields } = definition;
  const logs = new ProcessLogs({ service, level, shippedLevel: config.shippedLogLevel, fields });
  setProcessLogs(logs);
  const { log } = logs;
  if (unknown.length > 0) log.warn({ variables: unknown }, 'unknown variables: nobody reads them');

  let running: Running | null = null;
  let stopping = false;
  const stop = (why: string, code: number) => {
    if (stopping) return;
    stopping = true;
    log.info({ why }, 'stopping');
    // Unreferenced: a stop that is done must not wait for its own guard.
    setTimeout(() => {
      log.error({ afterMs: config.shutdownTimeoutMs }, 'stopped by force');
      process.exit(1);
    }, config.shutdownTimeoutMs).unref();
    Promise.resolve(running?.stop()).then(
      () => process.exit(code),
      (err: unknown) => {
        log.error({ err }, 'stop failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', () => stop('SIGTERM', 0));
  process.on('SIGINT', () => stop('SIGINT', 0));
  // A supervisor that is killed can't stop us; its end of the channel closes with it.
  process.on('disconnect', () => stop('parent is gone', 0));
  const fatal = (err: unknown) => {
    log.fatal({ err }, 'uncaught error');
    stop('uncaught error', 1);
  };
  process.on('uncaughtException', fatal);
  process.on('unhandledRejection', fatal);

  try {
    running = await definition.start(config, log);
  } catch (err) {
    log.fatal({ err }, 'could not start');
    process.send?.({ failed: startProblem(err) });
    process.exitCode = 1;
    process.exit();
  }
  if (running.bus !== null) logs.attach(running.bus, running.metrics);
  void running.gaveUp?.then((err) => {
    log.fatal({ err }, 'gave up');
    stop('gave up', 1);
  });
  log.info({ ports: running.ports }, 'ready');
  process.send?.({ ready: running.ports });
}

function readConfig<S extends Settings>(definition: ServiceDefinition<S>) {
  try {
    const loaded = loadConfig({ ...BASE_SETTINGS, ...definition.settings }, process.env);
    const config = loaded.config as ConfigOf<S> & BaseConfig;
    if (process.argv.includes('--check-config')) {
      const bad = loaded.unknown.length > 0;
      process.stdout.write(
        bad ? `unknown: ${loaded.unknown.join(', ')}\n` : `${definition.name}: configuration is fine\n`,
      );
      process.exit(bad ? 1 : 0);
    }
    return { config, unknown: loaded.unknown };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${definition.name}: ${error.problems.join('\n')}\n`);
    process.send?.({ failed: error.problems.join('; ') });
    process.exit(1);
  }
}

/** What must appear in no line. */
function secretsOf<S extends Settings>(settings: S, config: ConfigOf<S>): string[] {
  const secret = Object.keys(settings).filter((key) => settings[key]?.secret === true);
  return secret.map((key) => config[key]).filter((value) => typeof value === 'string');
}

function startProblem(error: unknown): string {
  return redactText(error instanceof Error ? error.message : String(error));
}
