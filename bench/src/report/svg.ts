/** What all charts share: colours for light and dark, escaped text, numbers, ticks. */

/** Okabe and Ito's palette, which colour-blind people can tell apart; the first is Natter. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#7f7f7f'] as const;

const STYLE = `
  text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #24292f; }
  .title { font-size: 14px; font-weight: 600; }
  .quiet { fill: #57606a; }
  .grid { stroke: #d0d7de; stroke-width: 1; }
  .goal { stroke: #cf222e; stroke-width: 1.5; stroke-dasharray: 4 3; }
  .goal-text { fill: #cf222e; }
  .whisker { stroke: #24292f; stroke-width: 1.2; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .quiet { fill: #8d96a0; }
    .grid { stroke: #30363d; }
    .goal { stroke: #ff7b72; }
    .goal-text { fill: #ff7b72; }
    .whisker { stroke: #e6edf3; }
  }`;

export function svg(width: number, height: number, title: string, content: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(title)}">`,
    `<style>${STYLE}\n</style>`,
    ...content,
    '</svg>',
    '',
  ].join('\n');
}

export function text(x: number, y: number, words: string, more = ''): string {
  return `<text x="${round(x)}" y="${round(y)}"${more === '' ? '' : ` ${more}`}>${escaped(words)}</text>`;
}

export function line(x1: number, y1: number, x2: number, y2: number, kind: string): string {
  return `<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" class="${kind}"/>`;
}

/** The colour of the n-th series. */
export function colour(index: number): string {
  return COLOURS[index % COLOURS.length] as string;
}

/** Coordinates to a tenth of a pixel: more would change the file for nothing. */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Three significant digits, thousands as k, M, G. */
export function compact(value: number): string {
  const size = Math.abs(value);
  for (const [unit, name] of [
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const)
    if (size >= unit) return `${Number((value / unit).toPrecision(3))}${name}`;
  return String(Number(value.toPrecision(3)));
}

/** From a value to a place between `from` and `to`, in pixels. */
export type Scale = (value: number) => number;

/** Linear from `least` to `most`, or logarithmic; a logarithm of nothing is placed at `from`. */
export function scale(least: number, most: number, from: number, to: number, log: boolean): Scale {
  const at = log ? Math.log10 : (value: number) => value;
  const [low, high] = [at(least), at(most)];
  return (value) => {
    const part = high === low ? 0.5 : (at(Math.max(value, log ? least : value)) - low) / (high - low);
    return from + part * (to - from);
  };
}

/** Round numbers that cover the values: powers of ten with `log`, else about five steps from 0. */
export function ticks(values: readonly number[], log: boolean): number[] {
  const positive = values.filter((value) => Number.isFinite(value) && (!log || value > 0));
  if (positive.length === 0) return [0, 1];
  const most = Math.max(...positive);
  if (log) {
    const [low, high] = [Math.floor(Math.log10(Math.min(...positive))), Math.ceil(Math.log10(most))];
    return Array.from({ length: Math.max(1, high - low) + 1 }, (_, step) => 10 ** (low + step));
  }
  if (most <= 0) return [0, 1];
  const rough = most / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough) as number);
  return Array.from({ length: Math.ceil(most / step) + 1 }, (_, index) =>
    Number((index * step).toPrecision(6)),
  );
}

function escaped(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
