/** `npm start` as a test runs it: a process of its own, with everything it starts. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { vi } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');

export interface Natter {
  /** Process id of run.mjs. */
  pid: number;
  stdout(): string;
  stderr(): string;
  exit: Promise<number | null>;
  /** Resolves once the line is printed; rejects with the output when the process ends first. */
  ready: Promise<void>;
  signal(name: NodeJS.Signals): void;
}

export function startNatter(env: Record<string, string>): Natter {
  const { PATH = '', HOME = '' } = process.env;
  const child: ChildProcess = spawn(process.execPath, ['scripts/run.mjs', 'scripts/start.ts'], {
    cwd: ROOT,
    env: { PATH, HOME, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stderr?.on('data', (chunk) => {
    err += chunk;
  });
  const exit = new Promise<number | null>((done) => child.once('close', (code) => done(code)));
  const ready = new Promise<void>((done, fail) => {
    child.stdout?.on('data', (chunk) => {
      out += chunk;
      if (out.includes('Natter is ready')) done();
    });
    void exit.then((code) => fail(new Error(`ended with ${code}:\n${out}${err}`)));
  });
  ready.catch(() => undefined);
  return {
    pid: child.pid as number,
    stdout: () => out,
    stderr: () => err,
    exit,
    ready,
    signal: (name) => void child.kill(name),
  };
}

export interface Descendant {
  pid: number;
  command: string;
}

/** The processes below `pid`, at any depth, from /proc. */
export function descendants(pid: number): Descendant[] {
  const children = new Map<number, Descendant[]>();
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const process = readProcess(Number(entry));
    if (process === null) continue;
    children.set(process.parent, [...(children.get(process.parent) ?? []), process]);
  }
  const below = (parent: number): Descendant[] =>
    (children.get(parent) ?? []).flatMap((child) => [child, ...below(child.pid)]);
  return below(pid);
}

/** Waits until none of these processes is alive; fails with those that are. */
export async function allGone(processes: Descendant[]): Promise<void> {
  await vi.waitFor(
    () => {
      const alive = processes.filter(({ pid, command }) => readProcess(pid)?.command === command);
      if (alive.length > 0) throw new Error(`still alive: ${alive.map(({ command }) => command).join(', ')}`);
    },
    { timeout: 15_000, interval: 50 },
  );
}

function readProcess(pid: number): (Descendant & { parent: number }) | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold anything; the fields after it are state and parent.
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (state === 'Z') return null;
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    return { pid, parent: Number(parent), command };
  } catch {
    // It ended meanwhile.
    return null;
  }
}
