/** The settings of every service, by the file that declares them. */
import { BASE_SETTINGS, type Settings } from '@natter/runtime';
import { GATEWAY_SETTINGS } from '../services/gateway/src/config.ts';

export interface SettingsOf {
  service: string;
  /** Each with what the reference says above it. */
  tables: Settings[];
}

export const SERVICE_SETTINGS: SettingsOf[] = [
  { service: 'every service', tables: [BASE_SETTINGS] },
  { service: 'gateway', tables: [GATEWAY_SETTINGS] },
];
