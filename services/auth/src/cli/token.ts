/**
 * Prints an access token on standard output: `npm run -s token -- --sub alice`.
 *
 * Always signed by our Ed25519 key, which exists in every set-up; the shared secret belongs to
 * another backend. Needs no running stack: it reads, or makes, the same key file.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, loadConfig } from '@natter/runtime';
import { AUTH_SETTINGS } from '../config.ts';
import { loadOwnKeys } from '../keys/own-keys.ts';
import { issueToken, type TokenRequest, UnfitToken } from '../tokens/issue-token.ts';
import { asksForHelp, BadArguments, readArguments, USAGE } from './arguments.ts';

try {
  const args = process.argv.slice(2);
  if (asksForHelp(args)) process.stdout.write(`${USAGE}\n`);
  else await printToken(readArguments(args));
} catch (error) {
  process.stderr.write(`${explain(error)}\n`);
  process.exitCode = 1;
}

async function printToken(request: TokenRequest): Promise<void> {
  const file = join(process.env.NATTER_ROOT ?? '.', '.env');
  // Variables that are set win over the file.
  if (existsSync(file)) process.loadEnvFile(file);
  const { config } = loadConfig(AUTH_SETTINGS, process.env);
  const { token } = await issueToken(request, await loadOwnKeys(config), config);
  process.stdout.write(`${token}\n`);
}

function explain(error: unknown): string {
  if (error instanceof BadArguments || error instanceof UnfitToken) return `${error.message}\n\n${USAGE}`;
  if (error instanceof ConfigError) return error.problems.join('\n');
  return error instanceof Error ? error.message : String(error);
}
