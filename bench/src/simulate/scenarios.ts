/** What may happen to a fleet. */
import type { Outcome } from './outcome.ts';
import { drainTimeMs, type Parameters } from './parameters.ts';
import { type Blow, Reconnects, type Script } from './reconnects.ts';

export interface Scenario {
  name: string;
  title: string;
  run(parameters: Parameters): Outcome;
}

export const SCENARIOS: readonly Scenario[] = [
  scenario('gateway-lost', 'one gateway is killed', (parameters) => ({
    blows: [
      { atMs: 0, kind: 'kill', gateway: 0 },
      { atMs: parameters.restartMs, kind: 'start', gateway: 0 },
    ],
    left: 1,
    brokerBackMs: 0,
  })),
  scenario('zone-lost', 'one zone is lost', ({ gateways, zones, brokerDownMs }) => ({
    blows: ids(gateways)
      .filter((gateway) => gateway % zones === 0)
      .map((gateway) => ({ atMs: 0, kind: 'vanish' as const, gateway })),
    left: 1 - 1 / zones,
    brokerBackMs: brokerDownMs,
  })),
  scenario('rolling-deploy', 'all gateways, one after the other', (parameters) => ({
    blows: rolling(parameters),
    left: 1,
    brokerBackMs: 0,
  })),
  scenario('all-gateways', 'all gateways are killed at once', ({ gateways, restartMs }) => ({
    blows: ids(gateways).flatMap((gateway): Blow[] => [
      { atMs: 0, kind: 'kill', gateway },
      { atMs: restartMs, kind: 'start', gateway },
    ]),
    left: 1,
    brokerBackMs: 0,
  })),
];

function scenario(name: string, title: string, script: (parameters: Parameters) => Script): Scenario {
  return { name, title, run: (parameters) => new Reconnects(parameters, script(parameters)).run() };
}

/** Each batch begins when the one before takes connections. */
function rolling(parameters: Parameters): Blow[] {
  const { gateways, restartMs, settleMs, surge } = parameters;
  const drainMs = drainTimeMs(parameters);
  const each = drainMs + restartMs + settleMs;
  return ids(gateways).flatMap((gateway): Blow[] => {
    const begin = Math.floor(gateway / Math.max(1, surge)) * each;
    return [
      { atMs: begin, kind: 'drain', gateway },
      { atMs: begin + drainMs + restartMs, kind: 'start', gateway },
    ];
  });
}

function ids(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
