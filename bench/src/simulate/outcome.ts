/** What a simulation tells. */

export const TIERS = ['gateway', 'auth', 'broker'] as const;
export type Tier = (typeof TIERS)[number];

export interface Outcome {
  /** Connections that went away, each time they did. */
  lost: number;
  /** Seconds without a connection, of those: half had no more, and so on. */
  away: { p50: number; p99: number; max: number };
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
