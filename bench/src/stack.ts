/** A stack to measure, with each process on its core. */
import { type Stack, startStack } from '@natter/testkit';
import type { Bench } from './bench.ts';
import { CORE } from './measure/cores.ts';

/** `uploads`: the gateway and the uploads service, as one. */
export type UnderTest = 'gateway' | 'agent' | 'uploads' | 'everything';

/** Logs of warnings and worse, limits out of the way of a load that comes from one address. */
const ENV = {
  LOG_LEVEL: 'warn',
  WS_RATE_LIMIT_REQUESTS: '1000000',
  NATTER_MAX_CONNECTIONS_PER_USER: '1000000',
  NATTER_MAX_CONNECTIONS_PER_ADDRESS: '1000000',
};

/**
 * Starts one and stops it with the figure.
 *
 * The process under test gets a core of its own; the rest shares the other with this process,
 * which is the load. `everything`: the stack may use both cores, the load only its own.
 * `gateways`: settings of each, beside those of all.
 */
export async function startMeasuredStack(
  bench: Bench,
  underTest: UnderTest,
  env: Record<string, string> = {},
  gateways: readonly Record<string, string>[] = [{}],
): Promise<Stack> {
  const options = [profiling(bench.profileDir), env.NODE_OPTIONS].filter(Boolean).join(' ');
  bench.cores.pin(process.pid, 'any');
  const stack = await startStack({
    uploads: underTest === 'uploads' ? 1 : 0,
    gateways: gateways.length,
    gatewayEnv: (index) => gateways[index] ?? {},
    env: { ...ENV, ...env, ...(options === '' ? {} : { NODE_OPTIONS: options }) },
  });
  bench.defer(() => stack.stop());
  const pids = {
    gateway: stack.gateways.map(({ pid }) => pid),
    agent: stack.agents.map(({ pid }) => pid),
    uploads: stack.uploads.map(({ pid }) => pid),
    rest: [stack.nats.pid, stack.auth.pid, stack.demo.pid],
  };
  bench.cores.pin(process.pid, CORE.load);
  for (const [name, all] of Object.entries(pids)) {
    const isUnderTest = name === underTest || (name === 'gateway' && underTest === 'uploads');
    const core = underTest === 'everything' ? 'any' : isUnderTest ? CORE.underTest : CORE.load;
    for (const pid of all) bench.cores.pin(pid, core);
  }
  return stack;
}

/** Node writes a profile of each process when it ends. */
function profiling(dir: string | null): string {
  return dir === null ? '' : `--cpu-prof --cpu-prof-dir=${dir}`;
}
