/** The uploads service as a process. */
import { runService } from '@natter/runtime';
import { startUploads } from './app.ts';
import { UPLOADS_SETTINGS } from './config.ts';

await runService({ name: 'uploads', settings: UPLOADS_SETTINGS, start: startUploads });
