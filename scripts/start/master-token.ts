/** What the greeting says about the master token. */
import { readFile } from 'node:fs/promises';
import { masterTokenFile } from '../../services/auth/src/config.ts';
import type { Env } from './environment.ts';

/**
 * The generated token itself, or where it is.
 *
 * In production standard output ends in logs that others read, so only the file is named there;
 * a token that a person has set, they know. Call it when the auth service is ready.
 */
export async function describeMasterToken(env: Env, root: string, dataDir: string): Promise<string> {
  if (env.MASTER_TOKEN?.trim()) return 'the one that MASTER_TOKEN is set to';
  const file = masterTokenFile({ root, dataDir });
  if (env.NATTER_ENV === 'production') return `in ${file}`;
  return (await readFile(file, 'utf8')).trim();
}
