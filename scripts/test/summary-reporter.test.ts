import { expect, test } from 'vitest';
import { closingLine, skipReasons } from '../summary-reporter.ts';

test('the closing line has three figures', () => {
  expect(closingLine({ passed: 12, failed: 0, skipped: 1 })).toBe('12 passed, 0 failed, 1 skipped');
});

test('skipped tests are listed under their reason', () => {
  const skipped = [
    { name: 'a', note: 'no Docker' },
    { name: 'b', note: 'no browser' },
    { name: 'c', note: 'no Docker' },
  ];
  expect(skipReasons(skipped)).toEqual([
    'skipped: no Docker',
    '  - a',
    '  - c',
    'skipped: no browser',
    '  - b',
  ]);
});
