/** Settings of `npm run logs`. */
import { kinds, setting } from '@natter/runtime/config';

export const LOGS_SETTINGS = {
  apiKey: setting(
    'NATTER_API_KEY',
    kinds.optional(),
    'API key by which `npm run logs` reads. Unset: LOGS_API_KEY, else an access token signed with the keys in NATTER_DATA_DIR.',
    { secret: true },
  ),
};
