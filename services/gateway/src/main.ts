/** The gateway process. */
import { runService } from '@natter/runtime';
import { startGateway } from './app.ts';
import { GATEWAY_SETTINGS } from './config.ts';

await runService({ name: 'gateway', settings: GATEWAY_SETTINGS, start: startGateway });
