/** docs/performance.md and its pictures, from the last full run of the benchmark. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { performanceFiles } from '../../bench/src/report/performance/document.ts';
import { readRecord } from '../../bench/src/report/record.ts';

/** Files by their path below `root`. */
export function performanceReference(root: string): Record<string, string> {
  const record = readRecord(join(root, 'bench/results/full.json'));
  if (record === null) throw new Error('bench/results/full.json is missing');
  const page = readFileSync(join(root, 'docs/performance.md'), 'utf8');
  const files = Object.entries(performanceFiles(page, record));
  return Object.fromEntries(files.map(([file, text]) => [`docs/${file}`, text]));
}
