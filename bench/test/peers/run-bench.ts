/** Gives a test what a figure is given, and undoes it as the runner does. */
import type { Bench, FigureResult } from '../../src/bench.ts';
import { Cores } from '../../src/measure/cores.ts';
import { FigureRun } from '../../src/run-figure.ts';

const RESULT: FigureResult = { measurements: [], cores: [], details: {} };

/** Resolves once all that `work` has deferred is undone; rejects with its failure. */
export async function runBench(work: (bench: Bench) => Promise<void>): Promise<void> {
  const say = () => undefined;
  const run = new FigureRun({
    size: 'tiny',
    cores: new Cores(),
    peers: [],
    profileDir: null,
    seed: 1,
    say,
  });
  const result = await run.run({
    name: 'test',
    title: 'test',
    run: async (bench) => {
      await work(bench);
      return RESULT;
    },
  });
  if (result instanceof Error) throw result;
}
