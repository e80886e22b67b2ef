/** The gateway process. */
import { runService } from '@natter/runtime';
import { GATEWAY_SETTINGS } from './config.ts';

// uWebSockets reads this when it is loaded. Its own 4,096 bytes for a whole request would answer
// 431 to a token of LIMITS.tokenBytes, and to a browser with many cookies.
process.env.UWS_HTTP_MAX_HEADERS_SIZE ??= '16384';
const { startGateway } = await import('./app.ts');

await runService({ name: 'gateway', settings: GATEWAY_SETTINGS, start: startGateway });
