/** Fills the marked blocks of docs/performance.md from the last full run. */
import type { Report } from '../report.ts';
import { charts } from './charts.ts';
import { goalTable, unmeasured } from './goal-table.ts';

/** Where the pictures are, seen from docs/. */
export const PICTURES = 'performance';

/** Files by their path below docs/: the page with its blocks filled in, and its pictures. */
export function performanceFiles(page: string, report: Report): Record<string, string> {
  const drawn = charts(report);
  const pictures = Object.entries(drawn).map(([file, svg]) => [`${PICTURES}/${file}`, svg]);
  const blocks = { run: runText(report), goals: goalTable(report), pictures: pictureText(drawn) };
  const filled = Object.entries(blocks).reduce((text, [name, content]) => block(text, name, content), page);
  return { 'performance.md': filled, ...Object.fromEntries(pictures) };
}

/** Replaces what stands between the marks of a name; fails where they are missing. */
export function block(page: string, name: string, content: string): string {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`the page has no block ${begin} … ${end}`);
  return `${page.slice(0, from + begin.length)}\n\n${content}\n\n${page.slice(to)}`;
}

/** Only what could be drawn: the record may lack a figure. */
function pictureText(drawn: Record<string, string>): string {
  const titles = Object.entries(drawn).map(([file, svg]) => [
    file,
    /aria-label="([^"]*)"/.exec(svg)?.[1] ?? file,
  ]);
  if (titles.length === 0) return 'The record has none of the figures that are drawn.';
  return titles.map(([file, title]) => `![${title}](${PICTURES}/${file})`).join('\n\n');
}

function runText(report: Report): string {
  const { machine, versions, pinning, calibration, missing } = report;
  const absent = Object.entries(missing).map(([peer, why]) => `- Without ${peer}: ${why}.`);
  const gaps = unmeasured(report).map((id) => `\`${id}\``);
  const commits = [...new Set(report.figures.map(({ commit }) => commit))].join(', ');
  return [
    `- Machine: ${machine.cores} × ${machine.cpu}, ${Math.round(machine.memoryMb / 1_024)} GB, Linux ${machine.kernel}; ${pinning}.`,
    `- Versions: ${Object.entries(versions)
      .filter(([name]) => name !== 'commit')
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}.`,
    `- Measured at ${report.startedAt.slice(0, 10)}, commits ${commits}; ${Math.round(report.seconds / 60)} minutes in all.`,
    `- Calibration: SHA-256 ${Math.round(calibration.before.hashMbPerSecond)} MB per core second, a TCP echo ${Math.round(calibration.before.echoMicros)} µs of CPU.`,
    ...report.warnings.map((warning) => `- Doubtful: ${warning}.`),
    ...report.figures.flatMap(({ name, warnings }) =>
      warnings.map((warning) => `- Doubtful, \`${name}\`: ${warning}.`),
    ),
    ...absent,
    ...(gaps.length === 0 ? [] : [`- Not measured: ${gaps.join(', ')}.`]),
  ].join('\n');
}
