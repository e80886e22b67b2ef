/** What a machine may lack, and the reason by which a test then skips itself. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

export type Requirement = 'docker' | 'chromium' | 'python-websockets' | 'clamd';

const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome'];
/** A Docker daemon that is starting answers late; one that is absent, at once. */
const PROBE_TIMEOUT_MS = 10_000;

const missing = new Map<Requirement, string | null>();

/**
 * Null when the machine has it, else why the test can't run.
 *
 * With NATTER_REQUIRE_ALL=1 (continuous integration) it throws instead, so that nothing is
 * skipped unseen. In a test: `const why = needs('docker'); skip(why !== null, why ?? '')`.
 */
export function needs(requirement: Requirement): string | null {
  let reason = missing.get(requirement);
  if (reason === undefined) {
    reason = CHECKS[requirement]();
    missing.set(requirement, reason);
  }
  if (reason !== null && process.env.NATTER_REQUIRE_ALL === '1') throw new Error(reason);
  return reason;
}

/** Path of a Chromium or Chrome on PATH, or null. */
export function findChromium(): string | null {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return folders.flatMap((folder) => BROWSERS.map((name) => join(folder, name))).find(isExecutable) ?? null;
}

/** Path of clamd, or null. Debian has it in a folder for daemons, which need not be on PATH. */
export function findClamd(): string | null {
  const folders = [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), '/usr/sbin'];
  return folders.map((folder) => join(folder, 'clamd')).find(isExecutable) ?? null;
}

const CHECKS: Record<Requirement, () => string | null> = {
  docker: () => (succeeds('docker', ['info']) ? null : 'no Docker daemon answers `docker info`'),
  chromium: () => (findChromium() === null ? `none of ${BROWSERS.join(', ')} is on PATH` : null),
  'python-websockets': () =>
    succeeds('python3', ['-c', 'import websockets'])
      ? null
      : 'python3 with the package `websockets` is not on PATH',
  clamd: () => (findClamd() === null ? 'clamd (Debian: clamav-daemon) is not installed' : null),
};

function succeeds(command: string, args: string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore', timeout: PROBE_TIMEOUT_MS }).status === 0;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
