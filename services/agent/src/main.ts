/** The agent process. */
import { runService } from '@natter/runtime';
import { startAgent } from './app.ts';
import { AGENT_SETTINGS } from './config.ts';

await runService({ name: 'agent', settings: AGENT_SETTINGS, start: startAgent });
