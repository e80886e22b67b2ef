/** Looks for a program that a distribution installs. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where Debian keeps daemons; PATH of a user often lacks it. */
const DAEMONS = '/usr/sbin';

/** Path of a program on PATH, in /usr/sbin or in one of these folders, or null. */
export function findProgram(name: string, ...folders: readonly string[]): string | null {
  const all = [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), DAEMONS, ...folders];
  return all.map((folder) => join(folder, name)).find(isExecutable) ?? null;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
