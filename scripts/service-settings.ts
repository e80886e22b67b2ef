/** The settings of every process, in the order in which the reference lists them. */
import { BASE_SETTINGS, type Settings } from '@natter/runtime/config';
import { AGENT_SETTINGS } from '../services/agent/src/config.ts';
import { AUTH_SETTINGS } from '../services/auth/src/config.ts';
import { GATEWAY_SETTINGS } from '../services/gateway/src/config.ts';
import { UPLOADS_SETTINGS } from '../services/uploads/src/config.ts';
import { LOGS_SETTINGS } from './logs/settings.ts';
import { START_SETTINGS } from './start/start-settings.ts';

export interface SettingsGroup {
  /** Heading in the reference. */
  title: string;
  settings: Settings;
}

export const SETTINGS_GROUPS: SettingsGroup[] = [
  { title: 'Gateway', settings: GATEWAY_SETTINGS },
  { title: 'Agent', settings: AGENT_SETTINGS },
  { title: 'Auth', settings: AUTH_SETTINGS },
  { title: 'Uploads', settings: UPLOADS_SETTINGS },
  { title: 'Every service', settings: BASE_SETTINGS },
  { title: '`npm start`', settings: START_SETTINGS },
  { title: '`npm run logs`', settings: LOGS_SETTINGS },
];
