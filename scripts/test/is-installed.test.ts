import { expect, test } from 'vitest';
import { isInstalled } from '../is-installed.mjs';

const wanted = {
  '': { version: '0.1.0' },
  proto: { version: '0.1.0' },
  'node_modules/@natter/proto': { link: true },
  'node_modules/zod': { version: '4.6.7' },
  'node_modules/only-for-mac': { version: '1.0.0', optional: true },
};
const present = { 'node_modules/@natter/proto': {}, 'node_modules/zod': { version: '4.6.7' } };

test('what the lock file names, but for optional packages, is installed', () => {
  expect(isInstalled(wanted, present)).toBe(true);
});

test('a missing package, another version and a missing workspace link mean: install', () => {
  const { 'node_modules/zod': zod, ...withoutZod } = present;
  expect(isInstalled(wanted, withoutZod)).toBe(false);
  expect(isInstalled(wanted, { ...present, 'node_modules/zod': { version: '4.0.0' } })).toBe(false);
  expect(isInstalled(wanted, { 'node_modules/zod': zod })).toBe(false);
});
