/** Tries, inside of the limits of a parser, what a parser must not be able to do. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const BLOCK_MIB = 16;
const MAX_BLOCKS = 1_000;

const PROBES: Record<string, () => unknown> = {
  /** MiB outside of the heap until no more can be had. */
  buffers: () => {
    const blocks: Uint8Array[] = [];
    try {
      while (blocks.length < MAX_BLOCKS) blocks.push(new Uint8Array(BLOCK_MIB * 1024 * 1024).fill(1));
    } catch (error) {
      return { mebibytes: blocks.length * BLOCK_MIB, error: (error as Error).name };
    }
    return { mebibytes: blocks.length * BLOCK_MIB };
  },
  heap: () => {
    const kept: unknown[] = [];
    while (kept.length < 100_000_000) kept.push({ value: kept.length });
    return kept.length;
  },
  forever: () => {
    for (;;);
  },
  output: () => 'x'.repeat(1_000_000),
  rights: () => ({
    read: attempt(() => readFileSync('/etc/hostname')),
    data: attempt(() => readFileSync(new URL('../../../../.natter/keys', import.meta.url))),
    write: attempt(() => writeFileSync('/tmp/natter-probe', '')),
    spawn: attempt(() => spawnSync('true')),
    environment: Object.keys(process.env).filter((name) => !['PWD', '_', 'SHLVL', 'OLDPWD'].includes(name)),
  }),
};

function attempt(action: () => unknown): string {
  try {
    action();
    return 'done';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'failed';
  }
}

process.stdout.write(JSON.stringify(PROBES[process.argv[2] ?? '']?.()));
