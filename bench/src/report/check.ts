/** `--check`: has a ratio fallen by a fifth against the last full run? */
import type { Report } from './report.ts';

/** Quick rounds of an unchanged tree differ by up to a tenth on a shared machine. */
const FALLEN_TO = 0.8;

export interface Fall {
  id: string;
  was: number;
  is: number;
}

export interface Checked {
  /** Ids of the ratios that both runs have. */
  compared: string[];
  fallen: Fall[];
}

/** Compares what both have of the ratios against what comes with npm; those of peers are no guard. */
export function check(report: Report, record: Report): Checked {
  const before = new Map(
    record.figures.flatMap(({ measurements }) => measurements).map(({ id, value }) => [id, value]),
  );
  const compared: string[] = [];
  const fallen: Fall[] = [];
  for (const { id, value: is, better } of report.figures.flatMap(({ measurements }) => measurements)) {
    const was = before.get(id);
    if (better === undefined || was === undefined) continue;
    compared.push(id);
    if (better === 'higher' ? is < was * FALLEN_TO : is > was / FALLEN_TO) fallen.push({ id, was, is });
  }
  return { compared, fallen };
}
