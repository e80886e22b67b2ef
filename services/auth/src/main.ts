/** The auth service as a process. */
import { runService } from '@natter/runtime';
import { startAuth } from './app.ts';
import { AUTH_SETTINGS } from './config.ts';

await runService({ name: 'auth', settings: AUTH_SETTINGS, start: startAuth });
