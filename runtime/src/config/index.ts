/** Settings; without the rest of the runtime, so that they can be checked before anything starts. */
export { BASE_SETTINGS } from './base.ts';
export {
  ConfigError,
  type ConfigOf,
  loadConfig,
  type Setting,
  type Settings,
  setting,
  unknownVariables,
} from './define.ts';
export * as kinds from './kinds.ts';
