/** Bars beside each other, with their intervals and goals, as SVG. */
import { colour, compact, line, round, scale, svg, text, ticks } from './svg.ts';

export interface Bar {
  label: string;
  value: number;
  low?: number;
  high?: number;
  /** Drawn across this bar. */
  goal?: number;
  /** Which colour: 0 is Natter. */
  series: number;
}

export interface BarChart {
  title: string;
  unit: string;
  /** In groups, each with a heading; a heading may be empty. */
  groups: readonly { name: string; bars: readonly Bar[] }[];
  log?: boolean;
}

const WIDTH = 720;
const LEFT = 200;
const RIGHT = 90;
const ROW = 20;
const TOP = 56;

export function barChart({ title, unit, groups, log }: BarChart): string {
  const bars = groups.flatMap((group) => group.bars);
  const values = bars.flatMap(({ value, high, goal }) => [value, high ?? value, goal ?? value]);
  const axis = ticks(values, log === true);
  const right = WIDTH - RIGHT;
  const x = scale(axis[0] as number, axis.at(-1) as number, LEFT, right, log === true);
  const rows: string[] = [];
  let y = TOP;
  for (const { name, bars } of groups) {
    if (name !== '') {
      rows.push(text(12, y + 14, name, 'class="quiet"'));
      y += ROW;
    }
    for (const bar of bars) {
      rows.push(...barRow(bar, y, x, right));
      y += ROW;
    }
    y += 8;
  }
  const grid = axis.flatMap((tick) => [
    line(x(tick), TOP - 6, x(tick), y, 'grid'),
    text(x(tick), TOP - 10, compact(tick), 'text-anchor="middle" class="quiet"'),
  ]);
  return svg(WIDTH, y + 6, title, [text(12, 20, `${title} (${unit})`, 'class="title"'), ...grid, ...rows]);
}

function barRow(
  { label, value, low, high, goal, series }: Bar,
  y: number,
  x: (v: number) => number,
  right: number,
): string[] {
  const middle = y + ROW / 2 - 1;
  const width = Math.max(1, x(value) - LEFT);
  const goalAt = goal === undefined ? [] : [line(x(goal), y, x(goal), y + ROW - 2, 'goal')];
  const whisker =
    low === undefined || high === undefined ? [] : [line(x(low), middle, x(high), middle, 'whisker')];
  return [
    text(LEFT - 8, middle + 4, label, 'text-anchor="end"'),
    `<rect x="${LEFT}" y="${round(y + 2)}" width="${round(width)}" height="${ROW - 6}" rx="2" fill="${colour(series)}"/>`,
    ...whisker,
    ...goalAt,
    text(Math.min(right + 6, Math.max(x(high ?? value), x(value)) + 6), middle + 4, compact(value)),
  ];
}
