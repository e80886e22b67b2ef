/** The seed documents as they were given, and the programs in them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SeedName } from '../requirements/requirement.ts';

/**
 * A whole document, byte for byte. Clients are cut out of it at run time, so no copy of them can
 * differ from what the seed shows.
 */
export function seedDocument(seed: SeedName): string {
  return readFileSync(join(import.meta.dirname, `../fixtures/seeds-${seed}/document.md`), 'utf8');
}

/** The first code block below a heading, verbatim; the heading without its marks. */
export function codeBelow(heading: string, seed: SeedName = '001'): string {
  const document = seedDocument(seed);
  const from = document.search(new RegExp(`^#+ ${escaped(heading)}$`, 'm'));
  const block = /\n```\w*\n([\s\S]*?)\n```\n/.exec(document.slice(from));
  if (from < 0 || block === null) throw new Error(`seeds/${seed} has no code below ${heading}`);
  return `${block[1]}\n`;
}

/** The two placeholders of seeds/001, and the only things that are ever replaced in it. */
export function withAddressAndToken(program: string, port: number, token: string): string {
  return program.replaceAll('localhost:8000', `localhost:${port}`).replaceAll('your_jwt_token', token);
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
