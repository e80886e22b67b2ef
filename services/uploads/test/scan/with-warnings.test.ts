import { expect, it } from 'vitest';
import type { Verdict } from '../../src/ports.ts';
import { withWarnings } from '../../src/scan/with-warnings.ts';
import { scannerThatSays } from '../uploads-under-test.ts';

it('a scanner that can not judge files is told once a minute, with the reason', async () => {
  let nowMs = 0;
  let verdict: Verdict = { verdict: 'unknown', reason: 'down' };
  const warned: unknown[] = [];
  const scanner = withWarnings(
    scannerThatSays(() => verdict),
    { log: { warn: (fields: unknown) => void warned.push(fields) }, now: () => nowMs },
  );
  const scan = async () => (await scanner.begin()).end();
  expect(await scan()).toEqual(verdict);
  nowMs = 59_999;
  await scan();
  expect(warned).toEqual([{ reason: 'down' }]);
  nowMs = 60_000;
  verdict = { verdict: 'clean' };
  expect(await scan()).toEqual(verdict);
  verdict = { verdict: 'unknown', reason: 'too large', fault: 'limits' };
  await scan();
  expect(warned).toEqual([{ reason: 'down' }, { reason: 'too large' }]);
});
