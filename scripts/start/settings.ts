/** Reads everybody's settings before anything is started. */
import {
  BASE_SETTINGS,
  ConfigError,
  type ConfigOf,
  loadConfig,
  type Settings,
  unknownVariables,
} from '@natter/runtime/config';
import { AUTH_SETTINGS } from '../../services/auth/src/config.ts';
import { GATEWAY_SETTINGS } from '../../services/gateway/src/config.ts';
import { SETTINGS_GROUPS } from '../service-settings.ts';
import type { Env } from './environment.ts';
import { StartError } from './start-error.ts';
import { START_SETTINGS } from './start-settings.ts';

/** What `npm start` itself goes by. */
const OWN = {
  ...START_SETTINGS,
  host: GATEWAY_SETTINGS.host,
  port: GATEWAY_SETTINGS.port,
  dataDir: AUTH_SETTINGS.dataDir,
  natsNkeyFile: BASE_SETTINGS.natsNkeyFile,
  internalPort: BASE_SETTINGS.internalPort,
  shutdownTimeoutMs: BASE_SETTINGS.shutdownTimeoutMs,
};

export type StartConfig = ConfigOf<typeof OWN> & {
  /** Variables that look like ours and that nobody reads. */
  unknown: string[];
};

/** Throws StartError that names every bad variable of every service. */
export function readSettings(env: Env): StartConfig {
  const problems = SETTINGS_GROUPS.flatMap(({ settings }) => problemsOf(settings, env));
  if (problems.length > 0) throw new StartError(`The configuration has mistakes. ${problems.join('. ')}.`);
  return { ...loadConfig(OWN, env).config, unknown: unknownVariables(env) };
}

function problemsOf(settings: Settings, env: Env): string[] {
  try {
    loadConfig(settings, env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}
