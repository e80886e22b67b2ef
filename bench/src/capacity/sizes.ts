/** Connections for which docs/capacity.md has a plan. */
export const SIZES = [10_000, 100_000, 1_000_000, 10_000_000] as const;
