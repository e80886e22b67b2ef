/** `npm run logs`: follows the log lines of a running Natter in a terminal. */
import { once } from 'node:events';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigError, loadConfig } from '@natter/runtime/config';
import { AUTH_SETTINGS } from '../services/auth/src/config.ts';
import { GATEWAY_SETTINGS } from '../services/gateway/src/config.ts';
import { asksForHelp, BadArguments, type LogsArguments, readArguments, USAGE } from './logs/arguments.ts';
import { type Credential, CredentialError, fixedKey, ownToken, signOwnToken } from './logs/credential.ts';
import { followLogs, LogsRefused } from './logs/follow-logs.ts';
import { printedLine } from './logs/printed-line.ts';
import { LOGS_SETTINGS } from './logs/settings.ts';
import { loadDotEnv } from './start/environment.ts';

const root = resolve(import.meta.dirname, '..');
const { stdout, stderr, env } = process;
const end = new AbortController();

endQuietly();
try {
  const args = process.argv.slice(2);
  if (asksForHelp(args)) stdout.write(`${USAGE}\n`);
  else await main(readArguments(args));
} catch (error) {
  stderr.write(`${explain(error)}\n`);
  process.exitCode = 1;
}

async function main(args: LogsArguments): Promise<void> {
  loadDotEnv(root);
  const settings = {
    ...LOGS_SETTINGS,
    port: GATEWAY_SETTINGS.port,
    logsApiKey: AUTH_SETTINGS.logsApiKey,
  };
  const { config } = loadConfig(settings, env);
  const url = args.url ?? new URL(`http://127.0.0.1:${config.port}`);
  const key = args.key ?? config.apiKey ?? config.logsApiKey;
  const colour = stdout.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb';
  await followLogs({
    ...args,
    url,
    credential: key === null ? ownCredential(url) : fixedKey(key),
    print: (data) => write(printedLine(data, { json: args.json, colour })),
    // A quiet stack looks like one that hangs. A file or a program gets no such line.
    began: (text) => void (stderr.isTTY && stderr.write(`logs: ${text}\n`)),
    say: (text) => void stderr.write(`logs: ${text}\n`),
    signal: end.signal,
    wait: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => undefined),
  });
}

/** An admin's token opens everything: it is not shown to a gateway elsewhere. */
function ownCredential(url: URL): Credential {
  if (!/^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname))
    throw new CredentialError(`a gateway on another machine needs a key: --key, or NATTER_API_KEY`);
  return ownToken(() => signOwnToken(root, env));
}

/** Waits for a reader that is slower than the logs. */
async function write(line: string): Promise<void> {
  if (stdout.write(`${line}\n`)) return;
  await once(stdout, 'drain', { signal: end.signal }).catch(() => undefined);
}

/** Ctrl-C, the end of whoever reads, and the end of run.mjs. */
function endQuietly(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => end.abort());
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') stderr.write(`logs: ${error.message}\n`);
    end.abort();
  });
  // run.mjs killed by SIGKILL sends nothing; its death shows as a new parent.
  const parent = process.ppid;
  setInterval(() => process.ppid === parent || end.abort(), 500).unref();
}

function explain(error: unknown): string {
  if (error instanceof BadArguments) return `${error.message}\n\n${USAGE}`;
  if (error instanceof ConfigError) return error.problems.join('\n');
  if (error instanceof LogsRefused || error instanceof CredentialError) return `logs: ${error.message}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
