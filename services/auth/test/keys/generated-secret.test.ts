import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { settingOrFile } from '../../src/keys/generated-secret.ts';
import { temporaryFolder } from '../forge.ts';

it('generates 32 bytes once, into a file that only its owner reads', async () => {
  const file = join(temporaryFolder(), 'auth', 'master-token');
  const all = await Promise.all(Array.from({ length: 5 }, () => settingOrFile('MASTER_TOKEN', null, file)));
  expect(new Set(all).size).toBe(1);
  expect(Buffer.from(all[0] ?? '', 'base64url')).toHaveLength(32);
  expect(readFileSync(file, 'utf8').trim()).toBe(all[0]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

it('takes the setting, and makes no file then', async () => {
  const file = join(temporaryFolder(), 'master-token');
  expect(await settingOrFile('MASTER_TOKEN', 'set', file)).toBe('set');
  expect(() => statSync(file)).toThrow('ENOENT');
});

it.each(['', '\n', 'short'])('does not start with a file that holds %j', async (text) => {
  const file = join(temporaryFolder(), 'cryptography-key');
  writeFileSync(file, text);
  await expect(settingOrFile('CRYPTOGRAPHY_KEY', null, file)).rejects.toMatchObject({
    code: 'CONFIG',
    message: expect.stringContaining('CRYPTOGRAPHY_KEY'),
  });
});

it('says which setting is missing when no file can be made', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'auth'), '');
  await expect(settingOrFile('MASTER_TOKEN', null, join(folder, 'auth', 'x'))).rejects.toMatchObject({
    code: 'CONFIG',
    message: expect.stringContaining('MASTER_TOKEN'),
  });
});
