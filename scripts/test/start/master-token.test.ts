import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { greeting } from '../../start/greeting.ts';
import { describeMasterToken } from '../../start/master-token.ts';

function dataDir(): string {
  const folder = mkdtempSync(join(tmpdir(), 'natter-start-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, 'auth'));
  writeFileSync(join(folder, 'auth', 'master-token'), 'generated\n');
  return folder;
}

test('a generated master token is shown in development, and its file in production', async () => {
  const folder = dataDir();
  expect(await describeMasterToken({}, '/repo', folder)).toBe('generated');
  const shown = await describeMasterToken({ NATTER_ENV: 'production' }, '/repo', folder);
  expect(shown).toBe(`in ${join(folder, 'auth', 'master-token')}`);
});

test('a master token that a person has set is not repeated', async () => {
  expect(await describeMasterToken({ MASTER_TOKEN: 'hunter2' }, '/repo', dataDir())).not.toContain('hunter2');
});

test('[fastchat/master-token-generated] the greeting shows the master token', () => {
  const text = greeting({ host: '127.0.0.1', port: 8000, demoModel: true, masterToken: 'generated' });
  expect(text.split('\n')).toContain('  master generated');
});
