import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadMiddleware } from '../../src/middleware/config-file.ts';
import { configOf, temporaryFolder } from '../forge.ts';

function load(content: unknown) {
  const root = temporaryFolder();
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  writeFileSync(join(root, 'config.json'), text);
  return loadMiddleware(configOf({ NATTER_ROOT: root, NATTER_CONFIG_FILE: 'config.json' }));
}
const section = (more: object) => ({
  auth_middleware: { database_api_path: 'http://127.0.0.1:6789/db', headers: {}, ...more },
});

it('reads the section of the seed and leaves the others alone', async () => {
  const content = { llm: { model: 'x' }, ...section({ headers: { header_key: 'header_value' } }) };
  expect(await load(content)).toEqual({
    path: 'http://127.0.0.1:6789/db',
    headers: { header_key: 'header_value' },
  });
});

it('drops the slash at the end of the path, and may have empty headers', async () => {
  expect(await load(section({ database_api_path: 'https://id.example/db/' }))).toEqual({
    path: 'https://id.example/db',
    headers: {},
  });
});

it('asks nobody where no file is set, or the file has no such section', async () => {
  expect(await loadMiddleware(configOf({}))).toBeNull();
  expect(await load({})).toBeNull();
});

it.each<[string, unknown, string]>([
  ['no JSON', '{"auth_middleware": {"headers": {"key": "hunter2"}', 'is not JSON'],
  ['a list', [], 'expected object'],
  [
    '[fastchat/middleware-headers] no headers',
    { auth_middleware: { database_api_path: 'http://127.0.0.1:6789/db' } },
    'auth_middleware.headers',
  ],
  ['[fastchat/database-api-path] no path', { auth_middleware: { headers: {} } }, 'database_api_path'],
  ['a path that is no URL', section({ database_api_path: '/db' }), 'database_api_path'],
  ['a path of another scheme', section({ database_api_path: 'file:///etc' }), 'database_api_path'],
  ['a path with a query', section({ database_api_path: 'http://db?key=hunter2' }), 'database_api_path'],
  ['a password in the path', section({ database_api_path: 'http://a:hunter2@db' }), 'database_api_path'],
  ['a key that is mistyped', section({ header: { key: 'hunter2' } }), 'header'],
  ['a header that is a number', section({ headers: { key: 7 } }), 'headers.key'],
  ['a header with a line break', section({ headers: { key: 'hunter2\r\nx: y' } }), 'headers'],
  ['a header without a name', section({ headers: { '': 'hunter2' } }), 'headers'],
])('does not start with %s, and repeats no value', async (_what, content, text) => {
  await expect(load(content)).rejects.toMatchObject({
    code: 'CONFIG',
    message: expect.stringMatching(new RegExp(`^(?!.*hunter2)NATTER_CONFIG_FILE.*${text}`, 's')),
  });
});

it('does not start with a file that is missing', async () => {
  const config = configOf({ NATTER_CONFIG_FILE: join(temporaryFolder(), 'missing.json') });
  await expect(loadMiddleware(config)).rejects.toMatchObject({ code: 'CONFIG' });
});
