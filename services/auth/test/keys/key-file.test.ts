import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readOrCreateKeyFile } from '../../src/keys/key-file.ts';
import { temporaryFolder } from '../forge.ts';

it('gives everybody who asks at once the same key, and leaves no draft behind', async () => {
  const folder = join(temporaryFolder(), 'deep', 'auth');
  const file = join(folder, 'key.pem');
  const keys = await Promise.all(Array.from({ length: 20 }, () => readOrCreateKeyFile(file)));
  expect(new Set(keys)).toEqual(new Set([readFileSync(file, 'utf8')]));
  expect(readdirSync(folder)).toEqual(['key.pem']);
});

it('makes a file that only its owner reads', async () => {
  const file = join(temporaryFolder(), 'key.pem');
  await readOrCreateKeyFile(file);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

it('never replaces a file that is there', async () => {
  const file = join(temporaryFolder(), 'key.pem');
  writeFileSync(file, 'mine');
  expect(await readOrCreateKeyFile(file)).toBe('mine');
});

it('fails where the folder cannot be made', async () => {
  const file = join(temporaryFolder(), 'file');
  writeFileSync(file, '');
  await expect(readOrCreateKeyFile(join(file, 'auth', 'key.pem'))).rejects.toMatchObject({ code: 'ENOTDIR' });
});
