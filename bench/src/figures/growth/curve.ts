/** What one thing costs at several loads, and how that grows. */
import type { Measurement } from '../../bench.ts';
import { medianInterval } from '../../measure/interval.ts';
import { slope } from '../../measure/slope.ts';

export interface Curve {
  /** `growth.<id>-1`, `-4` and `-16`. */
  id: string;
  label: string;
  unit: string;
  /** What the load is, after its number. */
  of: string;
  points: readonly CurvePoint[];
}

export interface CurvePoint {
  load: number;
  /** Cost, once for each round; those of one round were measured together. */
  costs: readonly number[];
}

/** One row for each load, and the exponent: 0 where the cost is the same at every load, 1 where it doubles with it. */
export function curveRows({ id, label, unit, of, points }: Curve): Measurement[] {
  const first = points[0]?.load as number;
  const rows = points.map(({ load, costs }, index) => ({
    id: `growth.${id}-${Math.round(load / first)}`,
    label: index === 0 ? `${label}, ${load} ${of}` : `the same, ${load}`,
    unit,
    ...overRounds(costs),
  }));
  return [
    ...rows,
    {
      id: `growth.${id}-exponent`,
      label: 'exponent (0 is flat)',
      unit: '',
      ...overRounds(exponents(points)),
    },
  ];
}

/** Of each round: slope of the line through the logarithms of load and cost. */
export function exponents(points: readonly CurvePoint[]): number[] {
  const rounds = Math.min(...points.map(({ costs }) => costs.length));
  return Array.from({ length: rounds }, (_, round) =>
    slope(points.map(({ load, costs }) => ({ x: Math.log(load), y: Math.log(costs[round] as number) }))),
  );
}

function overRounds(values: readonly number[]): Pick<Measurement, 'value' | 'interval'> {
  const { median, ...interval } = medianInterval(values);
  return values.length === 1 ? { value: median } : { value: median, interval };
}
