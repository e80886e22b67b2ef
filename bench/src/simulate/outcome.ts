/** What a simulation tells. */
import { percentile } from '../measure/samples.ts';
import type { Parameters } from './parameters.ts';
import { WINDOW_MS } from './server.ts';

export const TIERS = ['gateway', 'auth', 'broker'] as const;
export type Tier = (typeof TIERS)[number];

export interface Outcome {
  /** Connections that went away, each time they did. */
  lost: number;
  /** Seconds without a connection, of those that are back: half had no more, and so on. */
  away: { p50: number; p99: number; max: number };
  /** Connections that were not back when the simulation ended, and when that was. */
  missing: { connections: number; atSeconds: number } | null;
  /** Tries for each connection that went away; 1 is best. */
  tries: number;
  /** Tries refused by a gateway, in all. */
  refused: number;
  /** Tries given up by their clients, in all. */
  timedOut: number;
  /** Share of the tier that was busy in the busiest second, other work included; of the busiest gateway. */
  peaks: Record<Tier, number>;
  /** In the busiest second. */
  authPerSecond: number;
  brokerMessagesPerSecond: number;
  /** The tier that had nothing left first, and for how many seconds; null where none had. */
  saturated: { tier: Tier; atSeconds: number; forSeconds: number } | null;
  /** Second by second: share of connections that are there, and busy shares. */
  series: Sample[];
}

export interface Sample {
  seconds: number;
  connected: number;
  gateway: number;
  auth: number;
  broker: number;
}

/** Busy for more than this share of a second is all there is: the rest is how work falls into seconds. */
const ALL = 0.99;

/** The tier that was first at its limit; at the same second the one that stays there longest. */
export function firstSaturated(busy: Record<Tier, readonly number[]>): Outcome['saturated'] {
  const found = TIERS.flatMap((tier) => {
    const at = busy[tier].findIndex((share) => share >= ALL);
    const forSeconds = busy[tier].filter((share) => share >= ALL).length;
    return at === -1 ? [] : [{ tier, atSeconds: at, forSeconds }];
  });
  found.sort((a, b) => a.atSeconds - b.atSeconds || b.forSeconds - a.forSeconds);
  return found[0] ?? null;
}

/** What was counted while it ran; by second where it is a list. */
export interface Counted {
  parameters: Parameters;
  tallies: { lost: number; tries: number; refused: number; timedOut: number };
  /** Milliseconds, in ascending order. */
  aways: Float64Array;
  /** Connections that did not come back until the end. */
  missing: number;
  endMs: number;
  /** Of what other work leaves; of the busiest gateway. */
  busy: Record<Tier, readonly number[]>;
  background: Record<Tier, number>;
  gone: readonly number[];
  authRequests: readonly number[];
  resumes: readonly number[];
}

export function outcomeOf(counted: Counted): Outcome {
  const { parameters, tallies, aways, missing, background } = counted;
  const { lost, tries, refused, timedOut } = tallies;
  const shares = (tier: Tier) =>
    counted.busy[tier].map((share) => background[tier] + (1 - background[tier]) * share);
  const busy = { gateway: shares('gateway'), auth: shares('auth'), broker: shares('broker') };
  const at = (percent: number) => (aways.length === 0 ? 0 : percentile(aways, percent) / 1_000);
  let gone = 0;
  const series = Array.from({ length: busy.gateway.length }, (_, seconds): Sample => {
    gone += counted.gone[seconds] ?? 0;
    const share = (tier: Tier) => busy[tier][seconds] ?? background[tier];
    const connected = 1 - gone / (parameters.gateways * parameters.connections);
    return { seconds, connected, gateway: share('gateway'), auth: share('auth'), broker: share('broker') };
  });
  const perSecond = (counts: readonly number[]) => (most(counts) * 1_000) / WINDOW_MS;
  return {
    lost,
    away: { p50: at(50), p99: at(99), max: at(100) },
    missing: missing === 0 ? null : { connections: missing, atSeconds: counted.endMs / 1_000 },
    tries: lost === 0 ? 0 : tries / lost,
    refused,
    timedOut,
    peaks: { gateway: most(busy.gateway), auth: most(busy.auth), broker: most(busy.broker) },
    authPerSecond: perSecond(counted.authRequests),
    brokerMessagesPerSecond: perSecond(counted.resumes) * parameters.brokerMessages,
    saturated: firstSaturated(busy),
    series,
  };
}

/** Seconds in which nothing happened are holes. */
function most(values: readonly number[]): number {
  return values.reduce((max, value) => Math.max(max, value ?? 0), 0);
}
