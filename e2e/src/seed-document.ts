/** seeds/001 as it was given, and the programs in it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The whole document, byte for byte. The clients are cut out of it at run time, so no copy of
 * them can differ from what the seed shows.
 */
export const SEED_DOCUMENT = readFileSync(
  join(import.meta.dirname, '../fixtures/seeds-001/document.md'),
  'utf8',
);

/** The first code block below a heading, verbatim. */
export function codeBelow(heading: string): string {
  const from = SEED_DOCUMENT.indexOf(`\n## ${heading}\n`);
  const block = /\n```\w*\n([\s\S]*?)\n```\n/.exec(SEED_DOCUMENT.slice(from));
  if (from < 0 || block === null) throw new Error(`seeds/001 has no code below ${heading}`);
  return `${block[1]}\n`;
}

/** The two placeholders of the seed, and the only things that are ever replaced. */
export function withAddressAndToken(program: string, port: number, token: string): string {
  return program.replaceAll('localhost:8000', `localhost:${port}`).replaceAll('your_jwt_token', token);
}
