/** Where the knowledge is. */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ConfigOf, kinds, setting } from '@natter/runtime/config';

export const KNOWLEDGE_SETTINGS = {
  knowledgeDir: setting(
    'KNOWLEDGE_DIR',
    kinds.optional(),
    'Folder of the Markdown and text files that answers rest on; read again when they change. Relative to where the service is started.',
    { defaultDoc: './knowledge of the repository' },
  ),
};

/** The folder as an absolute path. */
export function knowledgeDir(config: ConfigOf<typeof KNOWLEDGE_SETTINGS>): string {
  return config.knowledgeDir === null
    ? fileURLToPath(new URL('../../../../knowledge', import.meta.url))
    : resolve(config.knowledgeDir);
}
