import { type Clamd, eicar, needs, startClamd, zipArchive } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Verdict } from '../../src/ports.ts';
import { clamdAddress } from '../../src/scan/clamd-address.ts';
import { createClamdScanner } from '../../src/scan/clamd-scanner.ts';

const MISSING = needs('clamd');
const INFECTED: Verdict = { verdict: 'infected', signature: 'Natter.Eicar.UNOFFICIAL' };
const MEBIBYTE = Buffer.alloc(1024 * 1024, 'y');

describe.skipIf(MISSING !== null)('a real clamd', () => {
  let clamd: Clamd;

  beforeAll(async () => {
    clamd = await startClamd();
  });
  afterAll(() => clamd.stop());

  async function scan(parts: Uint8Array[], of = clamd): Promise<Verdict> {
    const address = clamdAddress(of.address);
    if (address === null) throw new Error(`no address: ${of.address}`);
    const stream = await createClamdScanner({ address, idleTimeoutMs: 5_000 }).begin();
    for (const part of parts) await stream.push(part);
    return stream.end();
  }

  it('finds nothing in a clean file', async () => {
    expect(await scan([MEBIBYTE, Buffer.from('the end')])).toEqual({ verdict: 'clean' });
  });

  it.each([
    ['at the start', [eicar(), MEBIBYTE]],
    ['at the tail', [MEBIBYTE, MEBIBYTE, eicar()]],
    ['across two parts', [MEBIBYTE, eicar().subarray(0, 20), eicar().subarray(20), MEBIBYTE]],
    ['in a zip', [zipArchive([{ name: 'a/eicar.com', content: eicar() }])]],
    [
      'in a zip in a zip',
      [zipArchive([{ name: 'z.zip', content: zipArchive([{ name: 'e', content: eicar() }]) }])],
    ],
  ])('[scan/real-clamd] finds EICAR %s', async (_, parts) => {
    expect(await scan(parts)).toEqual(INFECTED);
  });

  it('judges 50 MiB, and nothing above its StreamMaxLength', async () => {
    expect(await scan(Array(50).fill(MEBIBYTE))).toEqual({ verdict: 'clean' });
    expect((await scan(Array(61).fill(MEBIBYTE))).verdict).toBe('unknown');
    expect((await scan([...Array(61).fill(MEBIBYTE), eicar()])).verdict).toBe('unknown');
  });

  it('[scan/limits] takes what clamd gave up on for unknown, not for infected or clean', async () => {
    const small = await startClamd({ configExtra: 'MaxFileSize 2M\nMaxScanSize 2M' });
    try {
      const bomb = zipArchive([{ name: 'big', content: Buffer.alloc(4 * 1024 * 1024) }]);
      for (const parts of [[MEBIBYTE, MEBIBYTE, MEBIBYTE], [bomb]])
        expect(await scan(parts, small)).toMatchObject({
          verdict: 'unknown',
          reason: expect.stringContaining('Heuristics.Limits.Exceeded'),
        });
    } finally {
      await small.stop();
    }
  });

  it('is away after a kill, and back after a restart', async () => {
    const address = clamdAddress(clamd.address);
    if (address === null) throw new Error('no address');
    const scanner = createClamdScanner({ address });
    expect(await scanner.ping()).toBe(null);
    const under = await scanner.begin();
    await under.push(MEBIBYTE);
    await clamd.kill();
    expect((await under.end()).verdict).toBe('unknown');
    expect(await scanner.ping()).not.toBe(null);
    await clamd.restart();
    expect(await scan([eicar()])).toEqual(INFECTED);
  });

  it('that hangs is silent, not clean', async () => {
    const address = clamdAddress(clamd.address);
    if (address === null) throw new Error('no address');
    clamd.pause();
    try {
      const stream = await createClamdScanner({ address, replyTimeoutMs: 50 }).begin();
      await stream.push(Buffer.from('x'));
      expect(await stream.end()).toEqual({
        verdict: 'unknown',
        fault: 'file',
        reason: 'the scanner is silent',
      });
    } finally {
      clamd.resume();
    }
  });
});
