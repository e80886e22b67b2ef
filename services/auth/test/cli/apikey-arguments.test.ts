import { expect, it } from 'vitest';
import { readApiKeyArguments } from '../../src/cli/apikey-arguments.ts';

const ID = 'abcdefghijklmno1';

it('reads every argument of create', () => {
  const args = ['create', '--name', 'ci', '--scope', 'logs:read', '--scope', 'logs:write'];
  expect(readApiKeyArguments([...args, '--ttl', '90d', '--url', 'https://chat.example/base/'])).toEqual({
    op: 'create',
    name: 'ci',
    scopes: ['logs:read', 'logs:write'],
    ttlS: 90 * 86_400,
    url: 'https://chat.example/base',
  });
});

it('makes a key without an end where no time is given, and takes a scope once', () => {
  const args = ['create', '--scope', 'admin', '--scope', 'admin', '--name', 'ci'];
  expect(readApiKeyArguments(args)).toEqual({
    op: 'create',
    name: 'ci',
    scopes: ['admin'],
    ttlS: undefined,
    url: null,
  });
});

it('reads list and revoke', () => {
  expect(readApiKeyArguments(['list'])).toEqual({ op: 'list', url: null });
  expect(readApiKeyArguments(['revoke', ID])).toEqual({ op: 'revoke', id: ID, url: null });
});

const CREATE = ['create', '--name', 'ci', '--scope', 'admin'];

it.each([
  [[]],
  [['remove', ID]],
  [['create']],
  [['create', '--name', 'ci']],
  [['create', '--scope', 'admin']],
  [['create', '--name', '', '--scope', 'admin']],
  [['create', '--name', 'x'.repeat(65), '--scope', 'admin']],
  [['create', '--name', 'ci', '--scope', 'logs']],
  [['create', '--name', 'ci', '--scope', 'logs:read,logs:write']],
  [[...CREATE, '--ttl', 'forever']],
  [[...CREATE, '--ttl', '3661d']],
  [[...CREATE, '--url', 'chat.example']],
  [[...CREATE, '--url', 'file:///etc/passwd']],
  [[...CREATE, '--url', 'http://root:secret@chat.example']],
  [[...CREATE, '--url', 'http://chat.example/?token=secret']],
  [[...CREATE, 'ci']],
  [[...CREATE, '--sudo']],
  [['list', '--name', 'ci']],
  [['list', ID]],
  [['revoke']],
  [['revoke', ID, ID]],
  [['revoke', ID.toUpperCase()]],
  [['revoke', '../rooms']],
  [['revoke', 'environment']],
])('refuses %j', (args) => {
  expect(() => readApiKeyArguments(args)).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENTS' }));
});
