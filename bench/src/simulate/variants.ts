/** The same fleet and the same blow, with one thing changed: what helps, and what harms. */
import type { Parameters } from './parameters.ts';

export interface Variant {
  /** Name of the scenario. */
  scenario: string;
  title: string;
  change(planned: Parameters): Partial<Parameters>;
}

const more = ({ authCores, authBackground }: Parameters) => ({
  authCores: 3 * authCores,
  authBackground: authBackground / 3,
});
const hasty = { noticeMs: 2_000, backoffCapMs: 1_000 };

export const VARIANTS: readonly Variant[] = [
  { scenario: 'zone-lost', title: 'as planned', change: () => ({}) },
  { scenario: 'zone-lost', title: 'three times the auth pods', change: more },
  { scenario: 'zone-lost', title: 'auth takes all requests', change: () => ({ authLimit: 0 }) },
  { scenario: 'zone-lost', title: 'everybody notices within 2 s', change: () => ({ noticeMs: 2_000 }) },
  {
    scenario: 'zone-lost',
    title: 'the same, and no client waits longer than 1 s between tries',
    change: () => hasty,
  },
  {
    scenario: 'zone-lost',
    title: 'the same, and gateways take up 100 tries at once',
    change: () => ({ ...hasty, pendingLimit: 100 }),
  },
  { scenario: 'all-gateways', title: 'as planned', change: () => ({}) },
  { scenario: 'all-gateways', title: 'three times the auth pods', change: more },
  {
    scenario: 'all-gateways',
    title: 'clients wait up to 2 minutes between tries',
    change: () => ({ backoffCapMs: 120_000 }),
  },
  { scenario: 'rolling-deploy', title: 'as planned', change: () => ({}) },
  { scenario: 'rolling-deploy', title: 'three times the auth pods', change: more },
  {
    scenario: 'rolling-deploy',
    title: 'the balancer prefers the emptier gateway',
    change: () => ({ leastConnections: 1 }),
  },
  {
    scenario: 'rolling-deploy',
    title: 'connections are closed within 1 s',
    change: () => ({ drainMs: 1_000 }),
  },
];
