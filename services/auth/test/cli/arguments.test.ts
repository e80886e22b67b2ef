import { expect, it } from 'vitest';
import { readArguments } from '../../src/cli/arguments.ts';
import { parseTtl } from '../../src/cli/ttl.ts';

it('reads every argument', () => {
  const args = ['--sub', 'alice', '--email', 'a@example.com', '--name', 'Alice'];
  expect(readArguments([...args, '--role', 'admin', '--role', 'support', '--ttl', '15m'])).toEqual({
    sub: 'alice',
    email: 'a@example.com',
    name: 'Alice',
    roles: ['admin', 'support'],
    ttlS: 900,
  });
});

it('needs only the subject, and gives an hour', () => {
  expect(readArguments(['--sub', 'alice'])).toEqual({
    sub: 'alice',
    email: null,
    name: null,
    roles: [],
    ttlS: 3600,
  });
});

it.each([
  [[]],
  [['--sub']],
  [['--sub', '']],
  [['alice']],
  [['--sub', 'alice', '--sudo']],
  [['--sub', 'alice', '--role', 'x'.repeat(65)]],
  [['--sub', 'alice', '--ttl', 'forever']],
  [['--sub', 'alice', ...Array.from({ length: 17 }, () => ['--role', 'a']).flat()]],
])('refuses %j', (args) => {
  expect(() => readArguments(args)).toThrow(expect.objectContaining({ code: 'BAD_ARGUMENTS' }));
});

it.each([
  ['1s', 1],
  ['30s', 30],
  ['15m', 900],
  ['7d', 604_800],
  ['365d', 31_536_000],
  ['0s', null],
  ['366d', null],
  ['999999999d', null],
  ['1.5h', null],
  ['-1h', null],
  ['1H', null],
  ['1 h', null],
  ['1', null],
  ['', null],
])('reads the time %j as %j seconds', (text, seconds) => {
  expect(parseTtl(text)).toBe(seconds);
});
