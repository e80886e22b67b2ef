/** Hand-made tokens: any header, any claims, signed by node:crypto without a library's checks. */
import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, loadConfig } from '@natter/runtime';
import { onTestFinished } from 'vitest';
import { AUTH_SETTINGS, type KeyConfig } from '../src/config.ts';

export const SECRET = 'a secret of at least thirty-two bytes';
export const LOG = createLogger('test', 'silent');

type Json = Record<string, unknown>;
export type Signer = (input: string) => Buffer;

export const hs256 =
  (secret: string | Buffer): Signer =>
  (input) =>
    createHmac('sha256', secret).update(input).digest();
export const eddsa =
  (key: KeyObject): Signer =>
  (input) =>
    sign(null, Buffer.from(input), key);
export const rs256 =
  (key: KeyObject): Signer =>
  (input) =>
    sign('sha256', Buffer.from(input), key);

export function forge(header: Json | string, claims: Json | string, signer: Signer): string {
  const part = (value: Json | string) =>
    Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
  const input = `${part(header)}.${part(claims)}`;
  return `${input}.${signer(input).toString('base64url')}`;
}

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'natter-auth-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** An Ed25519 key as the operator gives it: in a file. */
export function keyFile(folder: string): { key: KeyObject; publicKey: KeyObject; file: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const file = join(folder, 'key.pem');
  writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  return { key: privateKey, publicKey, file };
}

export function configOf(env: Record<string, string>): KeyConfig {
  return loadConfig(AUTH_SETTINGS, env).config;
}
