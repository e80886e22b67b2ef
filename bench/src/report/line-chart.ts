/** Curves over one axis, as SVG. */
import { colour, compact, line, round, scale, svg, text, ticks } from './svg.ts';

export interface Series {
  name: string;
  /** Sorted by x. */
  points: readonly { x: number; y: number }[];
}

export interface LineChart {
  title: string;
  xLabel: string;
  yLabel: string;
  series: readonly Series[];
  /** Logarithmic axes; values must be above 0. */
  xLog?: boolean;
  yLog?: boolean;
  /** A value of y drawn across. */
  goal?: number;
}

const WIDTH = 720;
const HEIGHT = 320;
const LEFT = 64;
const RIGHT = 150;
const TOP = 44;
const BOTTOM = 44;

export function lineChart({ title, xLabel, yLabel, series, xLog, yLog, goal }: LineChart): string {
  const points = series.flatMap((one) => one.points);
  const yTicks = ticks([...points.map(({ y }) => y), ...(goal === undefined ? [] : [goal])], yLog === true);
  // Every measured place is a tick: there are few, and they say what was measured.
  const xTicks = [...new Set(points.map(({ x }) => x))].sort((a, b) => a - b);
  const shown = xTicks.length <= 9 ? xTicks : ticks(xTicks, xLog === true);
  const [right, bottom] = [WIDTH - RIGHT, HEIGHT - BOTTOM];
  const x = scale(Math.min(...shown, ...xTicks), Math.max(...shown, ...xTicks), LEFT, right, xLog === true);
  const y = scale(yTicks[0] as number, yTicks.at(-1) as number, bottom, TOP, yLog === true);
  return svg(WIDTH, HEIGHT, title, [
    text(12, 20, title, 'class="title"'),
    text(12, TOP - 10, yLabel, 'class="quiet"'),
    ...yTicks.flatMap((tick) => [
      line(LEFT, y(tick), right, y(tick), 'grid'),
      text(LEFT - 6, y(tick) + 4, compact(tick), 'text-anchor="end" class="quiet"'),
    ]),
    ...shown.map((tick) => text(x(tick), bottom + 16, compact(tick), 'text-anchor="middle" class="quiet"')),
    text((LEFT + right) / 2, HEIGHT - 8, xLabel, 'text-anchor="middle" class="quiet"'),
    ...(goal === undefined ? [] : [line(LEFT, y(goal), right, y(goal), 'goal')]),
    ...(goal === undefined
      ? []
      : [text(right + 6, y(goal) + 4, `goal ${compact(goal)}`, 'class="goal-text"')]),
    ...series.flatMap((one, index) => curve(one, index, x, y)),
    ...names(series, y, right),
  ]);
}

function curve(
  { points }: Series,
  index: number,
  x: (v: number) => number,
  y: (v: number) => number,
): string[] {
  const path = points.map((point) => `${round(x(point.x))},${round(y(point.y))}`);
  return [
    `<polyline points="${path.join(' ')}" fill="none" stroke="${colour(index)}" stroke-width="2"/>`,
    ...path.map((at) => {
      const [cx, cy] = at.split(',');
      return `<circle cx="${cx}" cy="${cy}" r="3" fill="${colour(index)}"/>`;
    }),
  ];
}

/** Beside the last points, apart from each other. */
function names(series: readonly Series[], y: (value: number) => number, right: number): string[] {
  const wanted = series.map(({ name, points }, index) => ({ name, index, at: y(points.at(-1)?.y ?? 0) + 4 }));
  let last = Number.NEGATIVE_INFINITY;
  return wanted
    .sort((a, b) => a.at - b.at)
    .map(({ name, index, at }) => {
      last = Math.max(at, last + 15);
      return text(right + 8, last, name, `style="fill:${colour(index)}"`);
    });
}
