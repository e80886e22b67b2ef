/** `npm run check`: lint, types, import boundaries, generated files. One line for each. */
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');

interface Check {
  name: string;
  /** Program and its arguments; a `.ts` file is run by this Node. */
  command: [program: string, ...args: string[]];
}

const CHECKS: Check[] = [
  { name: 'lint and format', command: ['biome', 'check', '--error-on-warnings', '.'] },
  {
    name: 'types of the workspaces',
    command: ['turbo', 'run', 'types', '--output-logs=errors-only', '--ui=stream', '--no-update-notifier'],
  },
  { name: 'types of the scripts', command: ['tsc', '-p', '.'] },
  { name: 'import boundaries', command: ['scripts/boundaries.ts'] },
  { name: 'generated files', command: ['scripts/generate-reference.ts', '--check'] },
];

for (const check of CHECKS) {
  const startedAt = Date.now();
  const output = run(check.command);
  const seconds = ((Date.now() - startedAt) / 1_000).toFixed(1);
  process.stdout.write(`${output === null ? 'ok    ' : 'FAILED'} ${check.name} (${seconds} s)\n`);
  if (output === null) continue;
  process.stderr.write(`${output}\n`);
  process.exitCode = 1;
}

/** Null when it succeeded, else what it wrote. */
function run([program, ...args]: Check['command']): string | null {
  const isScript = program.endsWith('.ts');
  const result = spawnSync(
    isScript ? process.execPath : join(root, 'node_modules', '.bin', program),
    isScript ? ['--disable-warning=ExperimentalWarning', join(root, program), ...args] : args,
    {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
      // Nothing leaves the machine, and nothing outlives the check.
      env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' },
    },
  );
  if (result.error) return result.error.message;
  return result.status === 0 ? null : `${result.stdout}${result.stderr}`.trim();
}
