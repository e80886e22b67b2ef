/**
 * Somebody who follows the README on a clone of their own.
 *
 * The clone is a folder of links to this repository, with copies of what the README changes. Three
 * things differ from the README: the port is a free one in place of 8000, `/tmp/` is a folder of the
 * test, and the environment points data, knowledge and agents at the copies.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type CodeBlock, REPOSITORY } from './readme.ts';

export interface Command {
  /** Everything printed so far, on standard output. */
  printed(): string;
  /** What it wrote on standard error. */
  complained(): string;
  /** Resolves with the exit code once it and all it started have ended. */
  ended: Promise<number | null>;
  /** Ctrl-C. */
  interrupt(): void;
}

const CHANGED = ['knowledge', 'services/agent/agents'];

export class Reader {
  readonly #clone = mkdtempSync(join(tmpdir(), 'natter-readme-'));
  readonly #running = new Set<Command>();
  /** Port of the stack that runs now. */
  port = 0;

  constructor() {
    mkdirSync(this.#path('tmp'));
    for (const folder of CHANGED) cpSync(join(REPOSITORY, folder), this.#path(folder), { recursive: true });
    for (const name of ['package.json', 'scripts', 'node_modules'])
      symlinkSync(join(REPOSITORY, name), this.#path(name));
  }

  /** Runs a block in the clone's shell, in a process group of its own. */
  run({ text }: Pick<CodeBlock, 'text'>): Command {
    const { PATH = '', HOME = '' } = process.env;
    const child = spawn('sh', ['-e', '-c', this.adapted(text)], {
      cwd: this.#clone,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH,
        HOME,
        // Commands ask the gateway on this port, as they would on 8000.
        PORT: text.startsWith('npm start') ? '0' : String(this.port),
        NATTER_DATA_DIR: this.#path('.natter'),
        KNOWLEDGE_DIR: this.#path('knowledge'),
        NATTER_AGENTS_DIR: this.#path('services/agent/agents'),
      },
    });
    const command = watch(child);
    this.#running.add(command);
    void command.ended.then(() => this.#running.delete(command));
    return command;
  }

  /** Saves a block under the name that the README gives it. */
  save({ text, file }: CodeBlock): void {
    if (file === null) throw new Error(`the README names no file for:\n${text}`);
    const path = this.adapted(file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, this.adapted(text));
  }

  /** The text with this clone's port and folder. */
  adapted(text: string): string {
    return text
      .replaceAll('localhost:8000', `localhost:${this.port}`)
      .replaceAll('/tmp/', this.#path('tmp/'));
  }

  /** Ends whatever still runs and removes the clone. */
  async leave(): Promise<void> {
    const running = [...this.#running];
    for (const command of running) command.interrupt();
    await Promise.all(running.map(({ ended }) => ended));
    rmSync(this.#clone, { recursive: true, force: true });
  }

  #path(name: string): string {
    return join(this.#clone, name);
  }
}

function watch(child: ChildProcess): Command {
  let printed = '';
  let complained = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complained += text;
  });
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', resolve);
    child.once('error', () => resolve(null));
  });
  const interrupt = () => {
    try {
      process.kill(-(child.pid as number), 'SIGINT');
    } catch (error) {
      // The whole group has ended already.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  };
  return { printed: () => printed, complained: () => complained, ended, interrupt };
}
