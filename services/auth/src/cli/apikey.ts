/**
 * Makes, lists and revokes API keys of a running stack: `npm run -s apikey -- list`.
 *
 * Signs itself an access token with our own key, as `npm run token` does, and asks the gateway.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, loadConfig } from '@natter/runtime';
import { AUTH_SETTINGS } from '../config.ts';
import { loadOwnKeys } from '../keys/own-keys.ts';
import { issueToken } from '../tokens/issue-token.ts';
import { apiKeyTable } from './api-key-table.ts';
import { ApiKeysClient, GatewayError } from './api-keys-client.ts';
import { APIKEY_USAGE, type ApiKeyCommand, readApiKeyArguments } from './apikey-arguments.ts';
import { asksForHelp, BadArguments } from './arguments.ts';
import { printable } from './printable.ts';

/** Only for the one request. */
const TOKEN_TTL_S = 60;

const EXIT_CODES = { NO_GATEWAY: 1, REFUSED: 1, UNREACHABLE: 3, NO_SUCH_KEY: 4 } as const;

try {
  const args = process.argv.slice(2);
  if (asksForHelp(args)) process.stdout.write(`${APIKEY_USAGE}\n`);
  else await main(readApiKeyArguments(args));
} catch (error) {
  process.stderr.write(`${explain(error)}\n`);
  process.exitCode = exitCode(error);
}

async function main(command: ApiKeyCommand): Promise<void> {
  const file = join(process.env.NATTER_ROOT ?? '.', '.env');
  // Variables that are set win over the file.
  if (existsSync(file)) process.loadEnvFile(file);
  const url = command.url ?? localGateway();
  await run(command, new ApiKeysClient(url, givenToken() ?? (await ownToken(url))));
}

async function run(command: ApiKeyCommand, client: ApiKeysClient): Promise<void> {
  if (command.op === 'list') process.stdout.write(apiKeyTable(await client.list()));
  else if (command.op === 'revoke') {
    await client.revoke(command.id);
    process.stdout.write(`${command.id} is revoked\n`);
  } else {
    const { key, id, expires_at } = await client.create(command.name, command.scopes, command.ttlS);
    process.stdout.write(`${key}\n`);
    const until = expires_at === null ? 'until it is revoked' : `until ${expires_at}`;
    process.stderr.write(`${printable(`Key ${id}, good ${until}. It can't be shown again.`)}\n`);
  }
}

/** The port of the gateway is a setting of its own: services share no settings but through these. */
function localGateway(): string {
  const port = Number(process.env.PORT || 8000);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new ConfigError(['PORT: names no port to ask at; give --url']);
  return `http://127.0.0.1:${port}`;
}

function givenToken(): string | null {
  const given = process.env.NATTER_ADMIN_TOKEN?.trim();
  if (!given) return null;
  if (!/^[\x21-\x7e]+$/.test(given)) throw new ConfigError(['NATTER_ADMIN_TOKEN: not a token']);
  return given;
}

/** An admin's token opens everything: it is not shown to a gateway elsewhere. */
async function ownToken(url: string): Promise<string> {
  if (!/^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(url).hostname))
    throw new ConfigError(['NATTER_ADMIN_TOKEN: is needed for a gateway on another machine']);
  const { config } = loadConfig(AUTH_SETTINGS, process.env);
  const admin = { sub: 'apikey', email: null, name: null, roles: ['admin'], ttlS: TOKEN_TTL_S };
  return (await issueToken(admin, await loadOwnKeys(config), config)).token;
}

function explain(error: unknown): string {
  if (error instanceof BadArguments) return `${error.message}\n\n${APIKEY_USAGE}`;
  if (error instanceof ConfigError) return error.problems.join('\n');
  return error instanceof Error ? error.message : String(error);
}

function exitCode(error: unknown): number {
  if (error instanceof GatewayError) return EXIT_CODES[error.code];
  return error instanceof BadArguments || error instanceof ConfigError ? 2 : 1;
}
