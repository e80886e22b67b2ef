/** `npm run bench`: measures, prints a table, writes JSON. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Arguments, readArguments, USAGE } from './arguments.ts';
import { agent } from './figures/agent.ts';
import { connect } from './figures/connect.ts';
import { fanout } from './figures/fanout.ts';
import { idle } from './figures/idle.ts';
import { latency } from './figures/latency.ts';
import { logs } from './figures/logs.ts';
import { ready } from './figures/ready.ts';
import { resumeStorm } from './figures/resume-storm.ts';
import { upload } from './figures/upload.ts';
import { CORE, Cores } from './measure/cores.ts';
import { machine, versions } from './measure/machine.ts';
import { type FigureReport, figureReport, type Report } from './report/report.ts';
import { table } from './report/table.ts';
import { FigureRun } from './run-figure.ts';

const FIGURES = [ready, idle, connect, fanout, logs, upload, resumeStorm, latency, agent];
const ROOT = resolve(import.meta.dirname, '../..');
const LATEST = resolve(import.meta.dirname, '../results/latest.json');

const say = (text: string) => void process.stderr.write(`${text}\n`);
let current: FigureRun | null = null;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void interrupt());

const report = await measure(parse());
process.stdout.write(table(report));
process.exit(report.figures.some(({ failed }) => failed !== null) ? 1 : 0);

async function measure({ figures, size, out, profileDir }: Arguments): Promise<Report> {
  const cores = new Cores();
  const wanted = FIGURES.filter(({ name }) => figures.length === 0 || figures.includes(name));
  const begin = performance.now();
  const head = { startedAt: new Date().toISOString(), size, machine: machine(), versions: versions(ROOT) };
  const reports: FigureReport[] = [];
  for (const figure of wanted) {
    const from = performance.now();
    current = new FigureRun({ size, cores, profileDir, say: (line) => say(`${figure.name}: ${line}`) });
    const result = await current.run(figure);
    reports.push(figureReport(figure, seconds(from), result));
  }
  const pinning = cores.why ?? `under test on core ${CORE.underTest}, load on core ${CORE.load}`;
  const result = { ...head, seconds: seconds(begin), pinning, figures: reports };
  // Part of a run, or one that means nothing, must not replace the record of a whole one.
  const files = [out, figures.length === 0 && size !== 'tiny' ? LATEST : null].filter(
    (file) => file !== null,
  );
  for (const file of files) write(file, result);
  return result;
}

function parse(): Arguments {
  try {
    const args = readArguments(
      process.argv.slice(2),
      FIGURES.map(({ name }) => name),
    );
    return {
      ...args,
      out: args.out && resolve(args.out),
      profileDir: args.profileDir && resolve(args.profileDir),
    };
  } catch (error) {
    say(`${(error as Error).message}\n${USAGE}`);
    process.exit(1);
  }
}

function write(file: string, result: Report): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
  say(`written to ${file}`);
}

function seconds(since: number): number {
  return (performance.now() - since) / 1_000;
}

/** Ends what runs; the services also end by themselves when this process does. */
async function interrupt(): Promise<void> {
  await current?.undo();
  process.exit(130);
}
