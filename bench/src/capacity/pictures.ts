/** The charts of docs/capacity.md, by file name. */
import { lineChart } from '../report/line-chart.ts';
import type { Sample } from '../simulate/outcome.ts';
import type { Simulation } from '../simulate/simulation.ts';

const TITLES: Record<string, string> = {
  'zone-lost': 'A million connections, one of three zones is lost',
  'rolling-deploy': 'A million connections, all gateways are replaced',
  'all-gateways': 'A million connections, all gateways are killed at once',
};

export function pictures({ curves }: Simulation): Record<string, string> {
  return Object.fromEntries(
    Object.entries(TITLES).flatMap(([name, title]) => {
      const samples = curves[name];
      return samples === undefined ? [] : [[`${name}.svg`, chart(title, samples)]];
    }),
  );
}

function chart(title: string, samples: readonly Sample[]): string {
  const series = (name: string, of: (sample: Sample) => number) => ({
    name,
    points: samples.map((sample) => ({ x: sample.seconds, y: 100 * of(sample) })),
  });
  return lineChart({
    title,
    xLabel: 'seconds',
    yLabel: '%',
    series: [
      series('connected', ({ connected }) => connected),
      series('CPU of gateways', ({ gateway }) => gateway),
      series('CPU of auth', ({ auth }) => auth),
      series('CPU of brokers', ({ broker }) => broker),
    ],
  });
}
