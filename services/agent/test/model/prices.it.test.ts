import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '@natter/runtime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadPrices } from '../../src/model/prices.ts';
import { MODEL_SETTINGS, pricesFile } from '../../src/model/settings.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'natter-prices-'));
});
afterEach(() => rm(dir, { recursive: true }));

const usage = { inputTokens: 1_000_000, outputTokens: 500_000 };
async function load(content: unknown) {
  const file = join(dir, 'prices.json');
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  return loadPrices(file);
}

describe('loadPrices', () => {
  it('prices the tokens of a model, dated names too', async () => {
    const prices = await load({ asOf: '2026-01-01', usdPerMillionTokens: { m: { input: 2, output: 8 } } });
    expect(prices.costOf('m', usage)).toBe(6);
    expect(prices.costOf('m-2025-04-14', usage)).toBe(6);
    expect(prices.costOf('m-large', usage)).toBeNull();
    expect(prices.costOf('toString', usage)).toBeNull();
  });

  it('reads the table of the repository, which knows the demo model', async () => {
    const prices = await loadPrices(pricesFile(loadConfig(MODEL_SETTINGS, {}).config));
    expect(prices.costOf('natter-demo', usage)).toBe(1.25);
  });

  it.each<[string, unknown, string]>([
    ['no JSON', '{', 'no JSON'],
    ['a table without a date', { usdPerMillionTokens: {} }, 'asOf'],
    ['a day that does not exist', { asOf: '2026-02-30', usdPerMillionTokens: {} }, 'asOf'],
    [
      'a price below zero',
      { asOf: '2026-01-01', usdPerMillionTokens: { m: { input: -1, output: 1 } } },
      'usdPerMillionTokens.m.input',
    ],
    [
      'a missing price',
      { asOf: '2026-01-01', usdPerMillionTokens: { m: { input: 1 } } },
      'usdPerMillionTokens.m.output',
    ],
    ['an unknown field', { asOf: '2026-01-01', usdPerMillionTokens: {}, eur: {} }, 'eur'],
    ['a huge file', ' '.repeat(300_000), 'larger than 256 KiB'],
  ])('refuses %s and names file and field', async (_name, content, field) => {
    await expect(load(content)).rejects.toMatchObject({
      code: 'JSON_FILE',
      message: expect.stringMatching(new RegExp(`prices\\.json: .*${field}`)),
    });
  });

  it('names a file that is not there', async () => {
    await expect(loadPrices(join(dir, 'none.json'))).rejects.toThrow(/none\.json/);
  });
});
