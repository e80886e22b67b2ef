import { expect, it } from 'vitest';
import { printable } from '../../src/cli/printable.ts';

it('escapes what would write to the terminal, and leaves text as it is', () => {
  expect(printable('\u001b[2Jx\r\n\u009b\u202ey\u2066\u2028')).toBe(
    '\\u001b[2Jx\\u000d\\u000a\\u009b\\u202ey\\u2066\\u2028',
  );
  expect(printable('Žluťoučký 🐎 "ok"')).toBe('Žluťoučký 🐎 "ok"');
});
