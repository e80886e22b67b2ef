/** The page of rooms-v1 names every kind of frame that uploads have. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

it('[files/events-documented] each upload_type of the golden frames stands in docs/reference/rooms-v1.md', () => {
  const page = read('docs/reference/rooms-v1.md');
  const frames = ['client-frames.json', 'server-frames.json'].map((file) =>
    read(`proto/corpus/rooms-v1/${file}`),
  );
  const types = new Set([...frames.join('').matchAll(/"upload_type": ?"([a-z]+)"/g)].map(([, type]) => type));
  expect([...types].toSorted()).toEqual(
    expect.arrayContaining(['cancel', 'chunk', 'completed', 'finalize', 'init', 'progress', 'status']),
  );
  for (const type of types) expect(page).toContain(`\`${type}\``);
});
