/** Where the data catalogue is. */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ConfigOf, kinds, setting } from '@natter/runtime/config';

export const CATALOGUE_SETTINGS = {
  catalogueFile: setting(
    'NATTER_CATALOGUE_FILE',
    kinds.optional(),
    'JSON file with the tables that the explorer agent knows. Relative to where the service is started.',
    { defaultDoc: './catalogue/sample.json of the repository' },
  ),
};

/** The file as an absolute path. */
export function catalogueFile(config: ConfigOf<typeof CATALOGUE_SETTINGS>): string {
  return config.catalogueFile === null
    ? fileURLToPath(new URL('../../../../../catalogue/sample.json', import.meta.url))
    : resolve(config.catalogueFile);
}
