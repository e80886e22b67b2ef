/** What `--check` found, as a person reads it. */
import type { Checked, Compared, Standing } from './check.ts';
import { short } from './table.ts';

const WORDS: Record<Standing, string> = {
  held: '',
  unsure: 'unsure: worse by a fifth, but the intervals meet or the machine was busy',
  fallen: 'FALLEN by a fifth or more',
};
const HEAD = ['', 'record', 'now', 'change', ''];

export function checkTable({ compared, unknown, unmeasured }: Checked): string {
  if (compared.length === 0) return 'No ratio of this run is in the last full run.\n';
  const rows = [HEAD, ...compared.map(cellsOf)];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => (row[column] as string).length)));
  const fallen = compared.filter(({ standing }) => standing === 'fallen').length;
  const unsure = compared.filter(({ standing }) => standing === 'unsure').length;
  const verdict = `${fallen} fell by a fifth or more, ${unsure} unsure`;
  return [
    '',
    `Compared with the last full run, ${compared.length} ratios: ${verdict}`,
    ...rows.map((row) =>
      `  ${row.map((cell, column) => cell.padEnd(widths[column] as number)).join('  ')}`.trimEnd(),
    ),
    ...(unknown.length === 0 ? [] : [`not in the record: ${unknown.join(', ')}`]),
    ...(unmeasured.length === 0 ? [] : [`only in the record: ${unmeasured.join(', ')}`]),
    '',
  ].join('\n');
}

function cellsOf({ id, was, is, standing }: Compared): string[] {
  const percent = Math.round((is.value / was.value - 1) * 100);
  return [id, textOf(was), textOf(is), `${percent > 0 ? '+' : ''}${percent}%`, WORDS[standing]];
}

function textOf({ value, interval }: Compared['is']): string {
  return interval === undefined
    ? short(value)
    : `${short(value)} (${short(interval.low)} – ${short(interval.high)})`;
}
