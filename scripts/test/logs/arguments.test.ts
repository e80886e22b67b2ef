import { expect, test } from 'vitest';
import { readArguments } from '../../logs/arguments.ts';

test('without arguments, everything of the gateway of this machine', () => {
  expect(readArguments([])).toEqual({
    filter: { service: null, level: null, category: null },
    tail: 50,
    url: null,
    key: null,
    json: false,
  });
});

test('all of them', () => {
  const args = ['--service', 'agent', '--level', 'warn', '--category', 'access', '--tail', '0'];
  expect(readArguments([...args, '--url', 'http://there:1/x/', '--key', 'nk_1', '--json'])).toEqual({
    filter: { service: 'agent', level: 'warn', category: 'access' },
    tail: 0,
    url: new URL('http://there:1/x/'),
    key: 'nk_1',
    json: true,
  });
});

test.each([
  [['--level', 'loud'], /--level must be one of trace/],
  [['--service', 'a>b'], /--service must have/],
  [['--category', ''], /--category must have/],
  [['--tail', '1001'], /--tail/],
  [['--tail', '-1'], /--tail/],
  [['--url', 'ftp://there'], /--url must be/],
  [['--url', 'http://a:secret@there'], /--url must not hold a password/],
  [['--key', ''], /--key is empty/],
  [['--unknown'], /unknown/],
  [['agent'], /agent/],
])('%j is refused', (args, message) => {
  expect(() => readArguments(args)).toThrow(
    expect.objectContaining({ code: 'BAD_ARGUMENTS', message: expect.stringMatching(message) }),
  );
});
