/** A stack whose processes are killed and started again: nothing is pinned, nothing is measured in CPU. */
import { type Stack, type StackOptions, startStack } from '@natter/testkit';
import type { Bench } from '../bench.ts';

/** Limits out of the way of a load that comes from one address. */
const ENV = {
  LOG_LEVEL: 'warn',
  WS_RATE_LIMIT_REQUESTS: '1000000',
  NATTER_SESSION_RATE_LIMIT: '1000000',
  NATTER_MAX_CONNECTIONS_PER_USER: '1000000',
  NATTER_MAX_CONNECTIONS_PER_ADDRESS: '1000000',
};

/** Starts one and stops it with the figure. */
export async function startFaultStack(bench: Bench, options: StackOptions): Promise<Stack> {
  bench.cores.pin(process.pid, 'any');
  const stack = await startStack({ ...options, env: { ...ENV, ...options.env } });
  bench.defer(() => stack.stop());
  return stack;
}
