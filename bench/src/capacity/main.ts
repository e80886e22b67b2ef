/** `npm run bench:capacity`: writes docs/capacity.md and its charts from what was measured and simulated. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Report } from '../report/report.ts';
import type { Simulation } from '../simulate/simulation.ts';
import { capacityFiles } from './document.ts';
import { collectUnitCosts, readUnitCosts, sourcesOf } from './unit-costs.ts';

const RESULTS = resolve(import.meta.dirname, '../../results');
const DOCS = resolve(import.meta.dirname, '../../../docs');
const COSTS = resolve(RESULTS, 'unit-costs.json');
const USAGE = `npm run bench:capacity                         writes docs/capacity.md
npm run bench:capacity -- --collect [FILE …]   takes unit costs from these results, then from bench/results/full.json
`;

const say = (text: string) => void process.stderr.write(`${text}\n`);

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { collect: { type: 'boolean', default: false } },
  });
  if (values.collect) collect(positionals);
  else document();
} catch (error) {
  say(`${(error as Error).message}\n${USAGE}`);
  process.exit(1);
}

/** The first file that has a measurement wins. */
function collect(files: readonly string[]): void {
  const all = [...files.map((file) => resolve(file)), resolve(RESULTS, 'full.json')];
  const reports = all.filter(existsSync).map((file) => JSON.parse(readFileSync(file, 'utf8')) as Report);
  const costs = collectUnitCosts(reports);
  write(COSTS, `${JSON.stringify(costs, null, 1)}\n`);
  for (const line of sourcesOf(costs, reports.at(-1)?.startedAt ?? '')) say(line);
  say('Now npm run bench:simulate, then npm run bench:capacity.');
}

function document(): void {
  const simulation = JSON.parse(readFileSync(resolve(RESULTS, 'simulation.json'), 'utf8')) as Simulation;
  const page = readFileSync(resolve(DOCS, 'capacity.md'), 'utf8');
  for (const [file, content] of Object.entries(capacityFiles(page, readUnitCosts(COSTS), simulation)))
    write(resolve(DOCS, file), content);
}

function write(file: string, content: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  say(`written to ${file}`);
}
