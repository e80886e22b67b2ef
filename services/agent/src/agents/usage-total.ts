/** Sums the tokens of every model call behind one answer, and what they cost. */
import type { TokenUsage } from '@natter/proto';
import type { Prices } from '../model/prices.ts';

export class UsageTotal {
  /** Null while no call has reported any. */
  usage: TokenUsage | null = null;
  readonly #prices: Prices;
  /** Null once a call can't be priced: half of a cost would be taken for the whole. */
  #costUsd: number | null = 0;

  constructor(prices: Prices) {
    this.#prices = prices;
  }

  /** Adds a call of `model`; `usage` is null where the provider reported none. */
  add(model: string, usage: TokenUsage | null): void {
    const cost = usage === null ? null : this.#prices.costOf(model, usage);
    this.#costUsd = cost === null || this.#costUsd === null ? null : this.#costUsd + cost;
    if (usage === null) return;
    this.usage = {
      inputTokens: (this.usage?.inputTokens ?? 0) + usage.inputTokens,
      outputTokens: (this.usage?.outputTokens ?? 0) + usage.outputTokens,
    };
  }

  /** To a hundred-millionth: sums of binary fractions end in noise. Undefined where it isn't known. */
  get costUsd(): number | undefined {
    if (this.usage === null || this.#costUsd === null) return undefined;
    return Math.round(this.#costUsd * 1e8) / 1e8;
  }
}
