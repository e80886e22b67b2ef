/** `--check`: has a ratio fallen by a fifth against the last full run? */
import type { Measurement } from '../bench.ts';
import { type FigureReport, type Report, STEAL_PERCENT } from './report.ts';

/** Quick rounds of an unchanged tree differ by up to a tenth on a shared machine. */
const FALLEN_TO = 0.8;

/**
 * `fallen`: worse by a fifth or more, and its interval keeps clear of the record's.
 * `unsure`: as much worse, but the intervals meet, or other machines were at work: this one was too busy to tell.
 */
export type Standing = 'held' | 'unsure' | 'fallen';

type Reading = Pick<Measurement, 'value' | 'interval'>;

export interface Compared {
  id: string;
  figure: string;
  was: Reading;
  is: Reading;
  standing: Standing;
  /** The machine was not itself meanwhile. */
  isDoubtful: boolean;
}

export interface Checked {
  compared: Compared[];
  /** Guarded ratios of this run that the record lacks. */
  unknown: string[];
  /** Guarded ratios that the record has and this run has not, although it has the figure, or all: larger loads. */
  unmeasured: string[];
}

/**
 * Compares what both have of the ratios against what comes with npm; those of peers are no guard.
 *
 * `named`: the figures that were asked for; none: all.
 */
export function check(run: Report, record: Report, named: readonly string[] = []): Checked {
  const before = guarded(record).filter(({ figure }) => named.length === 0 || named.includes(figure.name));
  const now = guarded(run);
  const compared: Compared[] = [];
  const unknown: string[] = [];
  for (const { figure, row: is } of now) {
    const isDoubtful =
      run.warnings.length > 0 || figure.cores.some(({ stealPercent }) => stealPercent > STEAL_PERCENT);
    // A record of before this ratio was guarded has it all the same.
    const was = rowsOf(record).find(({ row }) => row.id === is.id)?.row;
    if (was === undefined) unknown.push(is.id);
    else
      compared.push({ id: is.id, figure: figure.name, was, is, standing: standingOf(is, was), isDoubtful });
  }
  const known = new Set(now.map(({ row }) => row.id));
  return { compared, unknown, unmeasured: before.map(({ row }) => row.id).filter((id) => !known.has(id)) };
}

/** Only what has fallen both times has, and not in doubt: `again` is the same figures measured once more. */
export function confirmed(first: Checked, again: Checked): Checked {
  const second = new Map(again.compared.map((one) => [one.id, one]));
  const last = (one: Compared): Compared => {
    const found = second.get(one.id) ?? one;
    return found.standing === 'fallen' && found.isDoubtful ? { ...found, standing: 'unsure' } : found;
  };
  return { ...first, compared: first.compared.map((one) => (one.standing === 'fallen' ? last(one) : one)) };
}

function standingOf(is: Measurement, was: Reading): Standing {
  const higher = is.better === 'higher';
  const limit = higher ? was.value * FALLEN_TO : was.value / FALLEN_TO;
  if (higher ? is.value > limit : is.value < limit) return 'held';
  const [now, then] = [boundsOf(is), boundsOf(was)];
  const clear = higher ? now.high < then.low : now.low > then.high;
  return clear ? 'fallen' : 'unsure';
}

function boundsOf({ value, interval }: Reading): { low: number; high: number } {
  return interval ?? { low: value, high: value };
}

type Row = { figure: FigureReport; row: Measurement };

function rowsOf(report: Report): Row[] {
  return report.figures.flatMap((figure) => figure.measurements.map((row) => ({ figure, row })));
}

function guarded(report: Report): Row[] {
  return rowsOf(report).filter(({ row }) => row.better !== undefined);
}
