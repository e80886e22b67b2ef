/** Outcomes of simulations as Markdown tables. */
import type { CaughtUp } from './broker-restart.ts';
import type { Told } from './simulation.ts';

const HEAD = [
  '',
  'away, half',
  '99%',
  'longest',
  'tries each',
  'busiest second: gateway',
  'auth',
  'broker',
  'auth requests/s',
  'broker messages/s',
  'first at its limit',
];

/** One row for each outcome, after its name. */
export function outcomeTable(rows: readonly (readonly [name: string, outcome: Told])[]): string {
  return markdown([HEAD, ...rows.map(([name, outcome]) => [name, ...cells(outcome)])]);
}

export function restartTable(rows: readonly (readonly [name: string, result: CaughtUp])[]): string {
  const head = ['', 'conversations', 'up to date, half', '99%', 'all', 'busiest second: gateway', 'broker'];
  return markdown([
    head,
    ...rows.map(([name, { conversations, upToDate, peaks }]) => [
      name,
      count(conversations),
      seconds(upToDate.p50),
      seconds(upToDate.p99),
      seconds(upToDate.max),
      percent(peaks.gateway),
      percent(peaks.broker),
    ]),
  ]);
}

/** The first row is the head; the first column is text, the others are numbers. */
export function markdown(rows: readonly (readonly string[])[]): string {
  const [head, ...body] = rows.map((cells) => `| ${cells.join(' | ')} |`);
  const line = `| --- |${' ---: |'.repeat((rows[0]?.length ?? 1) - 1)}`;
  return [head, line, ...body].join('\n');
}

export function count(value: number): string {
  return Math.round(value).toLocaleString('en');
}

function cells(outcome: Told): string[] {
  const { away, missing, tries, peaks, authPerSecond, brokerMessagesPerSecond, saturated } = outcome;
  return [
    ...(missing === null
      ? [away.p50, away.p99, away.max].map(seconds)
      : [...unfinished(outcome), notBack(missing)]),
    tries.toFixed(1),
    percent(peaks.gateway),
    percent(peaks.auth),
    percent(peaks.broker),
    count(authPerSecond),
    count(brokerMessagesPerSecond),
    saturated === null ? 'nothing' : `${saturated.tier}, ${saturated.forSeconds} s`,
  ];
}

/** Percentiles of those that are back would look like those of all. */
function unfinished({ lost, away, missing }: Told): string[] {
  const back = lost - (missing?.connections ?? 0);
  return [back > lost / 2 ? `≥ ${seconds(away.p50)}` : '', ''];
}

function notBack({ connections, atSeconds }: { connections: number; atSeconds: number }): string {
  return `**${count(connections)} not back after ${Math.round(atSeconds)} s**`;
}

function seconds(value: number): string {
  return `${Number(value.toPrecision(value < 10 ? 2 : 3))} s`;
}

function percent(share: number): string {
  return `${Math.round(100 * share)}%`;
}
