/** The result of a run as it is kept in JSON. */
import type { FigureResult, Measurement, Size } from '../bench.ts';
import { type Goal, judge, type Verdict } from '../goals.ts';
import type { Calibration } from '../measure/calibration.ts';
import { CORE } from '../measure/cores.ts';
import type { Machine } from '../measure/machine.ts';

export interface Report {
  startedAt: string;
  seconds: number;
  size: Size;
  machine: Machine;
  versions: Record<string, string>;
  /** Which core has what, or why nothing is pinned. */
  pinning: string;
  /** The same small work before and after: what the machine was worth meanwhile. */
  calibration: { before: Calibration; after: Calibration };
  /** Peers that could not be measured here, and why. */
  missing: Record<string, string>;
  /** What makes all numbers doubtful. */
  warnings: string[];
  figures: FigureReport[];
}

export interface FigureReport {
  name: string;
  title: string;
  startedAt: string;
  /** What was measured: `git describe`. */
  commit: string;
  size: Size;
  seconds: number;
  /** Null unless the figure could not be measured. */
  failed: string | null;
  measurements: (Measurement & { goal: Goal | null; verdict: Verdict })[];
  cores: FigureResult['cores'];
  /** What makes the numbers doubtful. */
  warnings: string[];
  details: FigureResult['details'];
}

/** Above this the load may be what is measured. */
const LOAD_BUSY_PERCENT = 85;
/** Of a core; above this other machines are what is measured. */
export const STEAL_PERCENT = 2;

export function figureReport(
  head: Pick<FigureReport, 'name' | 'title' | 'startedAt' | 'commit' | 'size' | 'seconds'>,
  result: FigureResult | Error,
): FigureReport {
  if (result instanceof Error) {
    const failed = String(result.stack ?? result);
    return { ...head, failed, measurements: [], cores: [], warnings: [], details: {} };
  }
  const measurements = result.measurements.map((measurement) => {
    const judged = judge(measurement.id, measurement.value);
    const { why, ...rest } = measurement;
    return { ...rest, ...judged, ...(judged.verdict === 'missed' && why !== undefined ? { why } : {}) };
  });
  const { cores, details } = result;
  return { ...head, failed: null, measurements, cores, warnings: warnings(cores), details };
}

function warnings(cores: FigureResult['cores']): string[] {
  const busy = cores.filter(({ core, busyPercent }) => core === CORE.load && busyPercent > LOAD_BUSY_PERCENT);
  const stolen = cores.filter(({ stealPercent }) => stealPercent > STEAL_PERCENT);
  return [
    ...busy.map(({ core, busyPercent }) => `core ${core}, with the load, was ${busyPercent}% busy`),
    ...stolen.map(({ core, stealPercent }) => `${stealPercent}% of core ${core} went to other machines`),
  ];
}
