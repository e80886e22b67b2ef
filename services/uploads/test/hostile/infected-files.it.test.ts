import {
  type Clamd,
  HOSTILE_FILES,
  HOSTILE_PART_BYTES,
  type HostileFile,
  needs,
  startClamd,
} from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clamdAddress } from '../../src/scan/clamd-address.ts';
import { createClamdScanner } from '../../src/scan/clamd-scanner.ts';

const MISSING = needs('clamd');

describe.skipIf(MISSING !== null)('a real clamd', () => {
  let clamd: Clamd;

  beforeAll(async () => {
    clamd = await startClamd();
  });
  afterAll(() => clamd.stop());

  async function scan(file: HostileFile) {
    const address = clamdAddress(clamd.address);
    if (address === null) throw new Error('no address');
    const stream = await createClamdScanner({ address }).begin();
    const bytes = file.bytes();
    for (let at = 0; at < bytes.length; at += HOSTILE_PART_BYTES)
      await stream.push(bytes.subarray(at, at + HOSTILE_PART_BYTES));
    return stream.end();
  }

  it.each(HOSTILE_FILES.filter(({ needsScanner }) => needsScanner).map((file) => [file.what, file] as const))(
    'finds %s',
    async (_, file) => {
      expect(await scan(file)).toEqual({ verdict: 'infected', signature: 'Natter.Eicar.UNOFFICIAL' });
    },
  );

  it('finds nothing in the others, but what is over its limits it does not call clean', async () => {
    for (const file of HOSTILE_FILES.filter((one) => one.servedName === one.name)) {
      const verdict = file.overScannerLimits ? 'unknown' : 'clean';
      expect(await scan(file), file.what).toMatchObject({ verdict });
    }
  });
});
