/** Settings of `npm start` itself, and the check of everybody's before anything is started. */
import { BASE_SETTINGS, ConfigError, type ConfigOf, kinds, loadConfig, setting } from '@natter/runtime';
import { GATEWAY_SETTINGS } from '../../services/gateway/src/config.ts';
import { SERVICE_SETTINGS } from '../service-settings.ts';
import { StartError } from './start-error.ts';

const { integer, string } = kinds;

export const START_SETTINGS = {
  dataDir: setting(
    'NATTER_DATA_DIR',
    string('.natter'),
    'Folder of everything that outlives a restart: streams and signing keys. A relative one starts at the repository root.',
  ),
  natsPort: setting(
    'NATTER_NATS_PORT',
    integer(0, 0, 65_535),
    'Port of the nats-server that `npm start` starts on 127.0.0.1. 0 picks a free one.',
  ),
};

const GATEWAY_ADDRESS = { host: GATEWAY_SETTINGS.host, port: GATEWAY_SETTINGS.port };

export interface StartConfig extends ConfigOf<typeof START_SETTINGS> {
  /** Host and port of the gateway. */
  host: string;
  port: number;
  internalPort: number;
  shutdownTimeoutMs: number;
  unknown: string[];
}

/** Reads the settings of all services; throws StartError that names every bad variable. */
export function readSettings(env: NodeJS.ProcessEnv): StartConfig {
  const problems = new Set<string>();
  const read = <R>(load: () => R): R | null => {
    try {
      return load();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      for (const problem of error.problems) problems.add(problem);
      return null;
    }
  };
  for (const { tables } of SERVICE_SETTINGS) for (const table of tables) read(() => loadConfig(table, env));
  const base = read(() => loadConfig(BASE_SETTINGS, env));
  const own = read(() => loadConfig(START_SETTINGS, env));
  const address = read(() => loadConfig(GATEWAY_ADDRESS, env));
  if (!base || !own || !address || problems.size > 0)
    throw new StartError(`The configuration has mistakes. ${[...problems].join('. ')}`);
  const { internalPort, shutdownTimeoutMs } = base.config;
  return { ...own.config, ...address.config, internalPort, shutdownTimeoutMs, unknown: own.unknown };
}
