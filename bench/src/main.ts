/** `npm run bench`: measures, prints a table, writes JSON. */
import { randomInt } from 'node:crypto';
import { resolve } from 'node:path';
import { type Arguments, readArguments, USAGE } from './arguments.ts';
import type { Figure } from './bench.ts';
import { agent } from './figures/agent.ts';
import { broker } from './figures/broker.ts';
import { connect } from './figures/connect.ts';
import { echo } from './figures/echo.ts';
import { fanout } from './figures/fanout.ts';
import { faults } from './figures/faults.ts';
import { fuzz } from './figures/fuzz.ts';
import { growth } from './figures/growth.ts';
import { idle } from './figures/idle.ts';
import { latency } from './figures/latency.ts';
import { logs } from './figures/logs.ts';
import { processes } from './figures/processes.ts';
import { ready } from './figures/ready.ts';
import { resumeStorm } from './figures/resume-storm.ts';
import { slowReaders } from './figures/slow-readers.ts';
import { takeover } from './figures/takeover.ts';
import { upload } from './figures/upload.ts';
import { calibrate, drift } from './measure/calibration.ts';
import { CORE, Cores } from './measure/cores.ts';
import { machine, versions } from './measure/machine.ts';
import type { Peer } from './peers/peer.ts';
import { PEERS } from './peers/registry.ts';
import { type Checked, type Compared, check, confirmed } from './report/check.ts';
import { checkTable } from './report/check-table.ts';
import { readRecord, updated, writeReport } from './report/record.ts';
import { type FigureReport, figureReport, type Report } from './report/report.ts';
import { table } from './report/table.ts';
import { FigureRun } from './run-figure.ts';

const FIGURES: readonly Figure[] = [
  ready,
  idle,
  connect,
  echo,
  fanout,
  logs,
  upload,
  resumeStorm,
  latency,
  agent,
  growth,
  faults,
  takeover,
  fuzz,
  broker,
  processes,
  slowReaders,
];
const RECORD = resolve(import.meta.dirname, '../results/full.json');
const names = (all: readonly { name: string }[]) => all.map(({ name }) => name);

const say = (text: string) => void process.stderr.write(`${text}\n`);
let current: FigureRun | null = null;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void interrupt());

const wanted = parse();
// Before this run becomes a part of it.
const record = readRecord(RECORD);
if (wanted.check && record === null) refuse('There is no full run to compare with.');
const report = await measure(wanted);
process.stdout.write(table(report));
keep(report, wanted);
const failed = report.figures.some((figure) => figure.failed !== null);
const fallen = wanted.check && record !== null && (await hasFallen(report, record));
process.exit(failed || fallen ? 1 : 0);

async function measure({ figures, size, profileDir, ...rest }: Arguments): Promise<Report> {
  const seed = rest.seed ?? randomInt(1_000_000_000);
  const cores = new Cores();
  const { peers, missing } = available(rest.peers.length > 0 || size !== 'full' ? rest.peers : names(PEERS));
  const all = Object.assign(versions(), ...peers.map((peer) => peer.versions())) as Record<string, string>;
  const head = { startedAt: new Date().toISOString(), size, machine: machine(), versions: all };
  const begin = performance.now();
  const before = await calibrate();
  const reports: FigureReport[] = [];
  const chosen = ({ name, onlyByName }: Figure) =>
    figures.length > 0 ? figures.includes(name) : size === 'full' || onlyByName === undefined;
  for (const figure of FIGURES.filter(chosen)) {
    const { name, title } = figure;
    const startedAt = new Date().toISOString();
    const from = performance.now();
    current = new FigureRun({ size, cores, peers, profileDir, seed, say: (line) => say(`${name}: ${line}`) });
    const result = await current.run(figure);
    const about = { name, title, startedAt, commit: all.commit as string, size, seconds: seconds(from) };
    reports.push(figureReport(about, result));
  }
  const after = await calibrate();
  const drifted = drift(before, after);
  const pinning = cores.why ?? `under test on core ${CORE.underTest}, load on core ${CORE.load}`;
  return {
    ...head,
    seconds: seconds(begin),
    pinning,
    calibration: { before, after },
    missing,
    warnings: drifted === null ? [] : [drifted],
    figures: reports,
  };
}

/** Of the peers with these names those that can run here. */
function available(wanted: readonly string[]): { peers: Peer[]; missing: Record<string, string> } {
  const peers: Peer[] = [];
  const missing: Record<string, string> = {};
  for (const peer of PEERS.filter(({ name }) => wanted.includes(name))) {
    const why = peer.missing();
    if (why === null) peers.push(peer);
    else missing[peer.name] = why;
  }
  return { peers, missing };
}

/** A whole full run, or some of its figures, goes into the record. */
function keep(run: Report, { size, peers, out }: Arguments): void {
  if (out !== null) written(out, run);
  // With some of the peers only, a figure would lose what the record has of the others.
  if (size !== 'full' || peers.length > 0) return;
  for (const { name } of run.figures.filter(({ failed }) => failed !== null))
    say(`${name} failed: the record keeps what it had of it`);
  written(RECORD, updated(record, run, names(FIGURES)));
}

function written(file: string, result: Report): void {
  writeReport(file, result);
  say(`written to ${file}`);
}

/** What has fallen is measured once more: a neighbour on the machine may have been busy. */
async function hasFallen(run: Report, last: Report): Promise<boolean> {
  let checked = check(run, last, wanted.figures);
  const suspects = new Set(fallenOf(checked).map(({ figure }) => figure));
  if (suspects.size > 0) {
    say(`${[...suspects].join(', ')}: once more, as a ratio has fallen`);
    const again = await measure({ ...wanted, figures: [...suspects] });
    checked = confirmed(checked, check(again, last));
  }
  process.stdout.write(checkTable(checked));
  return fallenOf(checked).length > 0 || checked.compared.length === 0;
}

function fallenOf({ compared }: Checked): Compared[] {
  return compared.filter(({ standing }) => standing === 'fallen');
}

function parse(): Arguments {
  try {
    const args = readArguments(process.argv.slice(2), names(FIGURES), names(PEERS));
    return {
      ...args,
      out: args.out && resolve(args.out),
      profileDir: args.profileDir && resolve(args.profileDir),
    };
  } catch (error) {
    return refuse(`${(error as Error).message}\n${USAGE}`);
  }
}

function refuse(why: string): never {
  say(why);
  process.exit(1);
}

function seconds(since: number): number {
  return (performance.now() - since) / 1_000;
}

/** Ends what runs; the services also end by themselves when this process does. */
async function interrupt(): Promise<void> {
  await current?.undo();
  process.exit(130);
}
