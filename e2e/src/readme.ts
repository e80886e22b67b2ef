/** The README's code blocks, as somebody who follows it takes them. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

export interface CodeBlock {
  /** `sh`, `javascript`, `text` … */
  language: string;
  /** The nearest heading above it. */
  heading: string;
  /** The file it is to be saved as: the last `/tmp/…` named before it, or null. */
  file: string | null;
  /** Ends with a line break. */
  text: string;
}

export const REPOSITORY = resolve(import.meta.dirname, '../..');

/** Every fenced block, in order. */
export function readmeBlocks(): CodeBlock[] {
  const readme = readFileSync(resolve(REPOSITORY, 'README.md'), 'utf8');
  const blocks: CodeBlock[] = [];
  let heading = '';
  let end = 0;
  for (const { index, 0: whole, 1: language = '', 2: text = '' } of readme.matchAll(
    /^```(\w+)\n([\s\S]*?\n)```$/gm,
  )) {
    // Only what stands between two blocks: a comment in a program looks like a heading.
    const prose = readme.slice(end, index);
    heading = [...prose.matchAll(/^#+ (.+)$/gm)].at(-1)?.[1] ?? heading;
    const file = [...prose.matchAll(/`(\/tmp\/[\w.]+)`/g)].at(-1)?.[1] ?? null;
    blocks.push({ language, heading, file, text });
    end = index + whole.length;
  }
  return blocks;
}
