/** The table of goals, filled in from a report, as Markdown. */
import type { FigureReport, Report } from '../report.ts';
import { short } from '../table.ts';
import { GOAL_ROWS, type Part } from './rows.ts';

type Row = FigureReport['measurements'][number];

const HEAD = [
  '| figure | goal | measured (95% interval) | beside it, in the same run |',
  '| --- | --- | --- | --- |',
];

/** Ids that a goal row names and the report lacks are said to be not measured. */
export function goalTable(report: Report): string {
  const found = measurementsOf(report);
  const rows = GOAL_ROWS.map(({ figure, goal, parts, beside }) => {
    const measured = parts.map((part) => partText(part, found.get(part.id), true));
    const others = beside
      .filter(({ id }) => found.has(id))
      .map((part) => partText(part, found.get(part.id), false));
    return `| ${figure} | ${goal} | ${measured.join('<br>')} | ${others.join('<br>')} |`;
  });
  return [...HEAD, ...rows].join('\n');
}

export function measurementsOf({ figures }: Report): Map<string, Row> {
  return new Map(figures.flatMap(({ measurements }) => measurements).map((row) => [row.id, row]));
}

/** Ids of goals that this report misses. */
export function missed({ figures }: Report): string[] {
  return figures.flatMap(({ measurements }) =>
    measurements.filter(({ verdict }) => verdict === 'missed').map(({ id }) => id),
  );
}

/** Goals of the table that no measurement answers. */
export function unmeasured(report: Report): string[] {
  const found = measurementsOf(report);
  return GOAL_ROWS.flatMap(({ parts }) => parts.map(({ id }) => id)).filter((id) => !found.has(id));
}

function partText({ label }: Part, row: Row | undefined, judged: boolean): string {
  const name = label === '' ? '' : `${label} `;
  if (row === undefined) return `${name}not measured`;
  const { value, unit, interval } = row;
  const between = interval === undefined ? '' : ` (${short(interval.low)} – ${short(interval.high)})`;
  const mark = judged ? markOf(row) : '';
  return `${name}${short(value)}${unit === '' ? '' : ` ${unit}`}${between}${mark}`;
}

/** Whether the goal was met; *unsure* where it lies within the interval. */
function markOf({ verdict, goal, interval }: Row): string {
  if (verdict === null) return '';
  const bound = goal?.atMost ?? goal?.atLeast ?? Number.NaN;
  const unsure = interval !== undefined && interval.low < bound && bound < interval.high;
  return `${verdict === 'met' ? ' ✓' : ' **missed**'}${unsure ? ' *unsure*' : ''}`;
}
