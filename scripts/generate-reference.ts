/** `npm run generate`: writes the files that come from code; `--check` only compares. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { configReference, envExample, knownVariables } from './reference/config-files.ts';
import { conformanceReference } from './reference/conformance-file.ts';
import { errorsReference } from './reference/errors-file.ts';
import { metricsReference } from './reference/metrics-file.ts';
import { performanceReference } from './reference/performance-file.ts';

const root = resolve(import.meta.dirname, '..');
const files: Record<string, string> = {
  'docs/reference/config.md': configReference(),
  'docs/reference/conformance.md': conformanceReference(),
  'docs/reference/errors.md': errorsReference(),
  'docs/reference/metrics.md': await metricsReference(),
  ...performanceReference(root),
  '.env.example': envExample(),
  'runtime/src/config/known-variables.ts': knownVariables(),
};

const stale = Object.entries(files).filter(([file, text]) => read(join(root, file)) !== text);
if (process.argv.includes('--check')) {
  for (const [file] of stale) process.stderr.write(`${file} is out of date: run \`npm run generate\`.\n`);
  process.exitCode = stale.length > 0 ? 1 : 0;
} else {
  for (const [file, text] of stale) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
    process.stdout.write(`wrote ${file}\n`);
  }
}

function read(file: string): string | null {
  return existsSync(file) ? readFileSync(file, 'utf8') : null;
}
