/** The pictures of docs/performance.md, by file name. */
import { type Bar, barChart } from '../bar-chart.ts';
import { lineChart } from '../line-chart.ts';
import type { Report } from '../report.ts';
import { measurementsOf } from './goal-table.ts';

type Rows = ReturnType<typeof measurementsOf>;

/** Each side's place among the colours, in all charts. */
const SIDES = [
  { name: 'Natter', end: '' },
  { name: 'raw uWebSockets.js', end: '-raw' },
  { name: 'ws', end: '-ws' },
  { name: 'Socket.IO + Redis', end: '-socketio' },
  { name: 'nchan', end: '-nchan' },
  { name: 'nats-server', end: '-nats-ws' },
  { name: 'FastAPI', end: '-fastapi' },
] as const;

/** Only those of which the report has something. */
export function charts(report: Report): Record<string, string> {
  const rows = measurementsOf(report);
  const drawn = {
    'fanout.svg': fanout(rows),
    'latency.svg': latency(rows),
    'idle.svg': idle(rows),
    ...growth(rows),
  };
  return Object.fromEntries(
    Object.entries(drawn).filter((entry): entry is [string, string] => entry[1] !== null),
  );
}

function fanout(rows: Rows): string | null {
  const groups = [10, 100, 1_000, 10_000].flatMap((watchers) =>
    [128, 1_024].map((bytes) => ({
      name: `${watchers.toLocaleString('en')} watchers, ${bytes === 128 ? '128 B' : '1 KB'}`,
      bars: SIDES.flatMap(({ name, end }, series) =>
        bar(rows, name, `fanout.${watchers}-${bytes}${end}`, series),
      ),
    })),
  );
  const shown = groups.filter(({ bars }) => bars.length > 0);
  if (shown.length === 0) return null;
  return barChart({
    title: 'Room fan-out: deliveries per core second',
    unit: 'logarithmic',
    groups: shown,
    log: true,
  });
}

function latency(rows: Rows): string | null {
  const of = (name: string, id: string, series: number) => bar(rows, name, `latency.${id}`, series);
  const bars = [
    ...of('Natter p50', 'p50', 0),
    ...of('Natter p99', 'p99', 0),
    ...of('Natter p99, in turn', 'p99-in-turn', 0),
    ...of('FastAPI p99, in turn', 'p99-fastapi', 6),
    ...of('50 streams: Natter', 'quarter-p99-in-turn', 0),
    ...of('50 streams: FastAPI', 'quarter-p99-fastapi', 6),
  ];
  if (bars.length === 0) return null;
  const title = 'Token latency added, 200 streams of 50 tokens/s';
  return barChart({ title, unit: 'ms, logarithmic', groups: [{ name: '', bars }], log: true });
}

function idle(rows: Rows): string | null {
  const alone = [
    ...bar(rows, 'raw uWebSockets.js, no token', 'idle.raw-rss', 1),
    ...bar(rows, 'Natter', 'idle.rss', 0),
  ];
  const inRooms = [
    ...bar(rows, 'Natter', 'idle.room-rss', 0),
    ...bar(rows, 'ws', 'idle.ws-rss', 2),
    ...bar(rows, 'Socket.IO + Redis', 'idle.socketio-rss', 3),
  ];
  const groups = [
    { name: 'no room', bars: alone },
    { name: 'in rooms of ten', bars: inRooms },
  ].filter(({ bars }) => bars.length > 0);
  if (groups.length === 0) return null;
  return barChart({ title: 'Memory of an idle connection', unit: 'B', groups });
}

function bar(rows: Rows, label: string, id: string, series: number): Bar[] {
  const row = rows.get(id);
  if (row === undefined || !Number.isFinite(row.value)) return [];
  const { value, interval, goal } = row;
  const bound = goal?.atMost ?? goal?.atLeast;
  return [
    {
      label,
      value,
      series,
      ...(interval === undefined ? {} : { low: interval.low, high: interval.high }),
      ...(bound === undefined ? {} : { goal: bound }),
    },
  ];
}

/** Filled in from the figure `growth`: cost of one delivery, token and connection as load grows. */
function growth(rows: Rows): Record<string, string | null> {
  const loads = [1, 4, 16];
  const series = (names: Record<string, string>) =>
    Object.entries(names)
      .map(([name, id]) => ({
        name,
        points: loads.flatMap((load) => {
          const row = rows.get(`growth.${id}-${load}`);
          return row === undefined ? [] : [{ x: load, y: row.value }];
        }),
      }))
      .filter(({ points }) => points.length > 0);
  const chart = (title: string, yLabel: string, names: Record<string, string>) => {
    const found = series(names);
    return found.length === 0
      ? null
      : lineChart({ title, xLabel: 'load', yLabel, series: found, xLog: true });
  };
  return {
    'growth-delivery.svg': chart('Cost of a delivery as rooms grow', 'µs of CPU', { gateway: 'delivery' }),
    'growth-token.svg': chart('Cost of a token as runs grow', 'µs of CPU', {
      gateway: 'token-gateway',
      agent: 'token-agent',
      broker: 'token-broker',
    }),
    'growth-connect.svg': chart('Cost of a connect as connections grow', 'µs of CPU', { gateway: 'connect' }),
  };
}
