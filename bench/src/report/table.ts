/** The result of a run as a person reads it. */
import type { Goal } from '../goals.ts';
import type { FigureReport, Report } from './report.ts';

type Row = [label: string, value: string, interval: string, goal: string, verdict: string];

/** Average number of runnable processes above which others are likely to go on disturbing. */
const LOAD_BEFORE = 1;

const HEAD: Row = ['', 'measured', '95% interval', 'goal', ''];

export function table(report: Report): string {
  const { machine, versions, pinning } = report;
  const rows = [HEAD, ...report.figures.flatMap(rowsOf)];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => [...(row[column] as string)].length)));
  const lines = (figure: FigureReport) => [
    '',
    figure.failed === null ? figure.title : `${figure.title}: FAILED, ${figure.failed.split('\n')[0]}`,
    ...rowsOf(figure).map((row) => line(row, widths)),
    ...figure.measurements.flatMap(({ id, why }) => (why === undefined ? [] : [`  ${id} missed: ${why}`])),
    ...figure.warnings.map((warning) => `  doubtful: ${warning}`),
    ...(figure.cores.length === 0 ? [] : [`  cores: ${figure.cores.map(coreText).join(', ')}`]),
  ];
  return [
    line(HEAD, widths),
    ...report.figures.flatMap(lines),
    '',
    ...(machine.load > LOAD_BEFORE ? [`doubtful: the machine was busy before (load ${machine.load})`] : []),
    ...report.warnings.map((warning) => `doubtful: ${warning}`),
    ...Object.entries(report.missing).map(([peer, why]) => `without ${peer}: ${why}`),
    `${machine.cores} × ${machine.cpu}, Linux ${machine.kernel}, load before ${machine.load}; ${pinning}`,
    Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
    `${report.seconds.toFixed(0)} s, size ${report.size}${report.size === 'tiny' ? ': these numbers mean nothing' : ''}`,
    '',
  ].join('\n');
}

function rowsOf({ measurements }: FigureReport): Row[] {
  return measurements.map(({ label, value, unit, interval, goal, verdict }) => [
    label,
    `${short(value)} ${unit}`,
    interval === undefined ? '' : `${short(interval.low)} – ${short(interval.high)}`,
    goal === null ? '' : goalText(goal),
    verdict ?? '',
  ]);
}

function line(row: Row, widths: number[]): string {
  const cells = row.map((cell, column) =>
    column === 1 ? cell.padStart(widths[column] as number) : cell.padEnd(widths[column] as number),
  );
  return `  ${cells.join('  ')}`.trimEnd();
}

function goalText({ atMost, atLeast }: Goal): string {
  return atMost !== undefined ? `≤ ${short(atMost)}` : `≥ ${short(atLeast as number)}`;
}

/** Three significant digits, and all before the point. */
export function short(value: number): string {
  const text = Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
  return text.replace(/\B(?=(\d{3})+$)/g, text.includes('.') ? '' : ',');
}

function coreText({ core, busyPercent, stealPercent }: FigureReport['cores'][number]): string {
  return `${core} ${busyPercent}% busy${stealPercent > 0 ? ` (${stealPercent}% stolen)` : ''}`;
}
