/** Runs the clients of seeds/001 as processes of their own and keeps what they print. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export interface SeedProgram {
  /** Everything printed so far, both outputs. */
  printed(): string;
  /** Resolves with the exit code. */
  ended: Promise<number | null>;
  stop(): void;
}

/** A tab in which scripts run one after another. */
export interface SeedPage extends SeedProgram {
  /** Runs a script and returns its value, if that is a string, number or boolean. */
  run(script: string): Promise<unknown>;
}

export function openSeedPage(): SeedPage {
  const child = fork(join(import.meta.dirname, 'seed-page.ts'), [], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let last = 0;
  const run = async (script: string) => {
    const id = ++last;
    child.send({ id, script });
    for (;;) {
      const [answer] = (await once(child, 'message')) as [{ id: number; value: unknown }];
      if (answer.id === id) return answer.value;
    }
  };
  return { ...watch(child), run };
}

/** Needs a `python3` that has the package `websockets`. */
export function runPython(program: string): SeedProgram {
  return watch(spawn('python3', ['-c', program], { stdio: ['ignore', 'pipe', 'pipe'] }));
}

function watch(child: ChildProcess): SeedProgram {
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', resolve);
    child.once('error', () => resolve(null));
  });
  return { printed: () => printed, ended, stop: () => void child.kill('SIGKILL') };
}
