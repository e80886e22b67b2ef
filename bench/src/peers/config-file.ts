/** Fills a peer's configuration in and puts it into a folder that lasts as long as the figure. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Bench } from '../bench.ts';

export interface ConfigFile {
  /** The folder; the program may write into it. */
  dir: string;
  file: string;
}

/** `{name}` becomes the value of that name, and `{dir}` the folder. */
export function configFile(
  bench: Bench,
  template: string,
  values: Record<string, string | number>,
): ConfigFile {
  const dir = mkdtempSync(join(tmpdir(), 'natter-bench-peer-'));
  bench.defer(() => rmSync(dir, { recursive: true, force: true }));
  const file = join(dir, basename(template));
  const all = { dir, ...values };
  const text = Object.entries(all).reduce(
    (config, [name, value]) => config.replaceAll(`{${name}}`, String(value)),
    readFileSync(template, 'utf8'),
  );
  writeFileSync(file, text);
  return { dir, file };
}
