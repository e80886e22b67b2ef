import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { loadKeySources } from '../../src/keys/key-sources.ts';
import { TokenVerifier } from '../../src/tokens/token-verifier.ts';
import { configOf, LOG, temporaryFolder } from '../forge.ts';

const PROGRAM = fileURLToPath(new URL('../../src/cli/token.ts', import.meta.url));

function run(args: string[], env: Record<string, string>) {
  return spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', PROGRAM, ...args], {
    env: { PATH: process.env.PATH, ...env },
    encoding: 'utf8',
  });
}

async function verify(token: string, env: Record<string, string>) {
  const sources = await loadKeySources(configOf(env), LOG);
  return new TokenVerifier(sources, { clockToleranceS: 5, verifiedTokens: 0, log: LOG }).verify(token);
}

it('prints one token and nothing else, which a service on the same folder accepts', async () => {
  const env = { NATTER_ROOT: temporaryFolder(), NATTER_DATA_DIR: 'data' };
  const { status, stdout, stderr } = run(['--sub', 'alice', '--role', 'admin', '--ttl', '1h'], env);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  expect(await verify(stdout.trim(), env)).toMatchObject({
    ok: true,
    principal: { sub: 'alice', roles: ['admin'] },
  });
});

it('prints its usage and makes no keys where somebody asks for help', () => {
  const root = temporaryFolder();
  const { status, stdout, stderr } = run(['--help'], {
    NATTER_ROOT: root,
    NATTER_DATA_DIR: join(root, 'data'),
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toMatch(/^usage: npm run -s token/);
  expect(existsSync(join(root, 'data'))).toBe(false);
});

it('reads .env at the root, below the variables that are set', async () => {
  const root = temporaryFolder();
  writeFileSync(join(root, '.env'), 'NATTER_JWT_ISSUER=from-file\nNATTER_JWT_AUDIENCE=from-file\n');
  const { stdout } = run(['--sub', 'alice'], { NATTER_ROOT: root, NATTER_JWT_AUDIENCE: 'set' });
  const env = { NATTER_ROOT: root, NATTER_JWT_ISSUER: 'from-file', NATTER_JWT_AUDIENCE: 'set' };
  expect(await verify(stdout.trim(), env)).toMatchObject({ ok: true });
});

it('says what is wrong on standard error and exits with 1', () => {
  const env = { NATTER_ROOT: temporaryFolder() };
  const usage = run([], env);
  expect(usage).toMatchObject({ status: 1, stdout: '' });
  expect(usage.stderr).toContain('--sub is missing');
  expect(usage.stderr).toContain('usage:');
  const setting = run(['--sub', 'alice'], { ...env, NATTER_JWT_SECRET: 'short' });
  expect(setting).toMatchObject({ status: 1, stdout: '' });
  expect(setting.stderr).toContain('NATTER_JWT_SECRET');
});
