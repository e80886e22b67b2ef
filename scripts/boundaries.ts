/** Checks the import boundaries of this repository; one line for each violation. */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import { findViolations, type Repository } from './boundaries/find-violations.ts';

const root = resolve(import.meta.dirname, '..');
const problems = findViolations(readRepository(root));
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.exitCode = problems.length > 0 ? 1 : 0;

function readRepository(folder: string): Repository {
  const find = (pattern: string) =>
    globSync(pattern, { cwd: folder, exclude: (path) => /(^|[\\/])(node_modules|\.\w+)$/.test(path) })
      .map((path) => path.split(sep).join('/'))
      .sort();
  const declared = new Map<string, Set<string>>();
  const workspaces = new Map<string, string>();
  for (const file of find('**/package.json')) {
    const manifest = JSON.parse(readFileSync(join(folder, file), 'utf8'));
    const place = dirname(file) === '.' ? '' : dirname(file);
    const { dependencies, devDependencies, optionalDependencies } = manifest;
    declared.set(
      place,
      new Set(Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies })),
    );
    if (place !== '') workspaces.set(manifest.name, place);
  }
  const files = new Map(
    find('**/*.{ts,mjs}').map((file) => [file, readFileSync(join(folder, file), 'utf8')]),
  );
  return { files, declared, workspaces };
}
