/** What `npm run logs` shows the gateway: a key, or an access token that it signs itself. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { NODE_ARGUMENTS } from '@natter/runtime/node-arguments';

export interface Credential {
  /** Throws CredentialError. */
  value(): Promise<string>;
  /** After it was refused: whether another try with a new one may help. */
  renew(): boolean;
}

/** There is none; the message is one line for people. */
export class CredentialError extends Error {
  readonly code = 'NO_CREDENTIAL';
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'CredentialError';
  }
}

export function fixedKey(key: string): Credential {
  return { value: async () => key, renew: () => false };
}

/** Long enough for a stream of a while, short enough to be worth nothing later. */
const TTL_MINUTES = 15;
/** Before the end: a token that is shown now must not expire on its way. */
const MARGIN_MS = 60_000;
const SPAWN_TIMEOUT_MS = 30_000;

/**
 * Access tokens of an admin, made by `sign` when one is needed, and used again until they expire.
 *
 * A token that is refused is replaced once: the keys may be new, as after a new NATTER_DATA_DIR.
 */
export function ownToken(sign: () => Promise<string>, now: () => number = Date.now): Credential {
  let token: { value: string; until: number; isFresh: boolean } | null = null;
  return {
    async value() {
      if (token !== null && now() < token.until) {
        token.isFresh = false;
        return token.value;
      }
      const value = await sign();
      token = { value, until: now() + TTL_MINUTES * 60_000 - MARGIN_MS, isFresh: true };
      return value;
    },
    renew() {
      const wasFresh = token?.isFresh === true;
      token = null;
      return !wasFresh;
    },
  };
}

/** Runs what `npm run token` runs: scripts know no code of the auth service. */
export async function signOwnToken(root: string, env: NodeJS.ProcessEnv): Promise<string> {
  const program = join(root, 'services/auth/src/cli/token.ts');
  const claims = ['--sub', 'npm-run-logs', '--role', 'admin', '--ttl', `${TTL_MINUTES}m`];
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [...NODE_ARGUMENTS, program, ...claims], {
      cwd: root,
      env: { ...env, NATTER_ROOT: root },
      timeout: SPAWN_TIMEOUT_MS,
      maxBuffer: 64 * 1024,
    });
    return stdout.trim();
  } catch (error) {
    const { stderr = '', message = '' } = error as { stderr?: string; message?: string };
    const reason = (stderr.trim() || message).split('\n')[0];
    throw new CredentialError(`no access token could be signed: ${reason}. Give a key with --key.`, error);
  }
}
