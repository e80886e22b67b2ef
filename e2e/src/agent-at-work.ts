/** Finds out which agent produces the only run under way. */
import type { ServiceProcess, Stack } from '@natter/testkit';
import { vi } from 'vitest';
import { readMetric } from './metrics.ts';

export interface AtWork {
  agent: ServiceProcess;
  /** The others. */
  idle: ServiceProcess[];
}

/** Waits until exactly one of these agents has a run. */
export function agentAtWork(stack: Stack): Promise<AtWork> {
  return vi.waitFor(
    async () => {
      const runs = await Promise.all(stack.agents.map((agent) => readMetric(agent, 'natter_agent_runs')));
      const busy = stack.agents.filter((_, index) => runs[index] === 1);
      const [agent] = busy;
      if (agent === undefined || busy.length > 1) throw new Error(`runs by agent: ${runs}`);
      return { agent, idle: stack.agents.filter((other) => other !== agent) };
    },
    { timeout: 30_000, interval: 20 },
  );
}

/** Runs that ended well, over all agents. */
export async function completedRuns(stack: Stack): Promise<number> {
  const counts = await Promise.all(
    stack.agents.map((agent) => readMetric(agent, 'natter_agent_runs_total', 'outcome="completed"')),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}
