/** Where the agents are described. */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ConfigOf, kinds, setting } from '@natter/runtime/config';

export const AGENTS_SETTINGS = {
  agentsDir: setting(
    'NATTER_AGENTS_DIR',
    kinds.optional(),
    'Folder with one Markdown file for each agent: prompt, tools, knowledge. Relative to where the service is started.',
    { defaultDoc: './services/agent/agents of the repository' },
  ),
};

/** The folder as an absolute path. */
export function agentsDir(config: ConfigOf<typeof AGENTS_SETTINGS>): string {
  return config.agentsDir === null
    ? fileURLToPath(new URL('../../agents', import.meta.url))
    : resolve(config.agentsDir);
}
