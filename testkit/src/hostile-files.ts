/** Every hostile file, as data: what is sent, and what must become of it. */
import { CARRIED } from './hostile/carriers.ts';
import { CONTENTS } from './hostile/contents.ts';
import { HOSTILE_PART_BYTES, type HostileFile } from './hostile/hostile-file.ts';
import { INFECTED } from './hostile/infected.ts';
import { LIES } from './hostile/lies.ts';
import { NAMES } from './hostile/names.ts';

export { HOSTILE_PART_BYTES, type HostileFile };

/** Sent in parts of `HOSTILE_PART_BYTES`. Their bytes are made when they are asked for. */
export const HOSTILE_FILES: readonly HostileFile[] = [
  ...NAMES,
  ...CONTENTS,
  ...CARRIED,
  ...LIES,
  ...INFECTED,
];
