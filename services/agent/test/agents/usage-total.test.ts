import { describe, expect, it } from 'vitest';
import { UsageTotal } from '../../src/agents/usage-total.ts';
import { Prices } from '../../src/model/prices.ts';

const PRICES = new Prices({ a: { input: 1, output: 2 }, b: { input: 10, output: 20 } });
const usage = { inputTokens: 100, outputTokens: 10 };

describe('UsageTotal', () => {
  it('sums tokens, and costs by the price of each model', () => {
    const total = new UsageTotal(PRICES);
    total.add('a', usage);
    total.add('b', usage);
    expect(total.usage).toEqual({ inputTokens: 200, outputTokens: 20 });
    expect(total.costUsd).toBe(0.00132);
  });

  it('knows no cost before the first call', () => {
    const total = new UsageTotal(PRICES);
    expect([total.usage, total.costUsd]).toEqual([null, undefined]);
  });

  it.each([
    ['a model without a price', 'c', usage],
    ['a call without tokens', 'a', null],
  ])('gives no cost after %s, whatever comes after', (_name, model, tokens) => {
    const total = new UsageTotal(PRICES);
    total.add(model, tokens);
    total.add('a', usage);
    expect(total.costUsd).toBeUndefined();
    expect(total.usage?.inputTokens).toBeGreaterThan(0);
  });
});
