/** The median of a few rounds and how far it can be trusted, without assuming a distribution. */

export interface MedianInterval {
  median: number;
  low: number;
  high: number;
  /** Chance that the true median lies in between; below 0.95 with fewer than 6 rounds. */
  coverage: number;
  rounds: number;
}

/**
 * Interval between two order statistics, the narrowest that covers at least 95%.
 *
 * Each round lies above the true median with chance 1/2, so the number of rounds above it is
 * binomial. Nine rounds: the second smallest to the second largest, 96%.
 */
export function medianInterval(values: readonly number[]): MedianInterval {
  const sorted = [...values].sort((a, b) => a - b);
  const rounds = sorted.length;
  if (rounds === 0) throw new RangeError('no rounds');
  let cut = 0;
  while (2 * (cut + 1) < rounds && coverageOf(rounds, cut + 1) >= 0.95) cut += 1;
  return {
    median: median(sorted),
    low: sorted[cut] as number,
    high: sorted[rounds - 1 - cut] as number,
    coverage: coverageOf(rounds, cut),
    rounds,
  };
}

function median(sorted: readonly number[]): number {
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

/** Chance that the median lies between the values left when `cut` are taken from either end. */
function coverageOf(rounds: number, cut: number): number {
  let outside = 0;
  let ways = 1;
  for (let i = 0; i <= cut; i += 1) {
    outside += ways / 2 ** rounds;
    ways = (ways * (rounds - i)) / (i + 1);
  }
  return Math.max(0, 1 - 2 * outside);
}
