/** Sums the tokens of every model call behind one answer. */
import type { TokenUsage } from '@natter/proto';

export class UsageTotal {
  /** Null while no call has reported any. */
  usage: TokenUsage | null = null;

  add(usage: TokenUsage | null): void {
    if (usage === null) return;
    this.usage = {
      inputTokens: (this.usage?.inputTokens ?? 0) + usage.inputTokens,
      outputTokens: (this.usage?.outputTokens ?? 0) + usage.outputTokens,
    };
  }
}
