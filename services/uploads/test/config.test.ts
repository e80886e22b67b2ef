import { BASE_SETTINGS, loadConfig } from '@natter/runtime';
import { expect, it } from 'vitest';
import {
  clamdSetting,
  mostUnfinishedBytes,
  scansFiles,
  UPLOADS_SETTINGS,
  uploadFolders,
} from '../src/config.ts';

const load = (env: Record<string, string>) =>
  loadConfig({ ...BASE_SETTINGS, ...UPLOADS_SETTINGS }, env).config;

it('[store/nats] keeps files in NATS unless it is told otherwise', () => {
  const config = load({});
  expect(uploadFolders(config)).toBe(null);
  expect(config).toMatchObject({ maxFileSize: 52_428_800, maxChunkSize: 1_048_576, rescanSeconds: 30 });
});

it.each<[string, Record<string, string>, boolean]>([
  ['[files/scanned-in-production] in production', { NATTER_ENV: 'production' }, true],
  ['where nothing is said, which is production', {}, true],
  ['in development only when it is wanted', { NATTER_ENV: 'development' }, false],
  ['in development with VIRUS_SCAN_ENABLED', { NATTER_ENV: 'development', VIRUS_SCAN_ENABLED: 'true' }, true],
  ['in production unless VIRUS_SCAN_ENABLED is off', { VIRUS_SCAN_ENABLED: 'false' }, false],
])('scans files %s', (_, env, scans) => {
  expect(scansFiles(load(env))).toBe(scans);
});

it('[files/env-upload-dir] [files/env-temp-dir] takes folders from the root, and the one for unfinished files inside the other', () => {
  expect(uploadFolders(load({ NATTER_ROOT: '/srv', UPLOAD_DIR: 'uploads' }))).toEqual({
    dir: '/srv/uploads',
    tempDir: '/srv/uploads/temp',
  });
  const own = load({ NATTER_ROOT: '/srv', UPLOAD_DIR: '/data', TEMP_DIR: 'temp' });
  expect(uploadFolders(own)).toEqual({ dir: '/data', tempDir: '/srv/temp' });
});

it.each([
  ['tcp://127.0.0.1:3310', { host: '127.0.0.1', port: 3310 }],
  ['tcp://[::1]:3310', { host: '::1', port: 3310 }],
  ['unix:/run/clamav/clamd.ctl', { path: '/run/clamav/clamd.ctl' }],
  ['127.0.0.1:3310', null],
  ['tcp://127.0.0.1', null],
  ['tcp:///run/clamd', null],
  ['unix:run/clamd', null],
  ['http://127.0.0.1:3310', null],
])('reads where clamd listens from %s', (text, address) => {
  expect(clamdSetting(text)).toEqual(address);
});

it('lets unfinished uploads of a user have 256 MiB, and never less than one file may have', () => {
  expect(mostUnfinishedBytes(load({}))).toBe(2 ** 28);
  const bytes = { NATTER_UPLOAD_UNFINISHED_BYTES: '1000' };
  expect(mostUnfinishedBytes(load({ ...bytes, MAX_FILE_SIZE: '1000' }))).toBe(1_000);
  expect(() => mostUnfinishedBytes(load({ ...bytes, MAX_FILE_SIZE: '1001' }))).toThrow('MAX_FILE_SIZE');
});

it.each([
  ['MAX_CHUNK_SIZE', '1048577'],
  ['MAX_FILE_SIZE', '0'],
  ['NATTER_CLAMD', 'localhost'],
])('refuses %s=%s', (name, value) => {
  expect(() => load({ [name]: value })).toThrow(name);
});
