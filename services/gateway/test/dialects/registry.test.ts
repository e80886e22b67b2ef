import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DIALECTS } from '../../src/dialects/registry.ts';
import { dialectContract } from './contract.ts';

const ROOT = new URL('../../../../', import.meta.url);
const SOURCES = new URL('services/gateway/src/dialects/', ROOT);
/** A wire and its version; one may be spoken on several routes. */
const FOLDERS = readdirSync(SOURCES, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

/** A wire that is no chat: it has a registry, a contract and tests of its own. */
const LOGS = 'logs-v1';
const CHATS = FOLDERS.filter((name) => name !== LOGS);

describe('[wires/contract] every dialect passes the contract suite', () => {
  for (const dialect of DIALECTS) dialectContract(dialect);

  it('and every folder has a dialect in the registry', () => {
    const spoken = new Set(DIALECTS.map(({ name }) => /^[a-z]+-v\d+/.exec(name)?.[0]));
    expect([...spoken].sort()).toEqual(CHATS.sort());
    expect(new Set(DIALECTS.map(({ path }) => path)).size).toBe(DIALECTS.length);
  });
});

describe.each(FOLDERS)('%s', (name) => {
  const isChat = name !== LOGS;

  it('[wires/corpus] has golden frames of both directions and of turns, all of which its test replays', () => {
    const folder = new URL(`proto/corpus/${name}/`, ROOT);
    const files = readdirSync(folder);
    for (const file of ['client-frames.json', 'server-frames.json', ...(isChat ? ['turns.json'] : [])])
      expect(files).toContain(file);
    const tests = readdirSync(import.meta.dirname)
      .filter((file) => file.startsWith(name))
      .map((file) => readFileSync(new URL(file, import.meta.url), 'utf8'))
      .join('\n');
    for (const file of files) {
      const entries = JSON.parse(readFileSync(new URL(file, folder), 'utf8'));
      expect([file, entries.length > 0, entries.every(hasOrigin)]).toEqual([file, true, true]);
      expect(tests).toContain(`@natter/proto/corpus/${name}/${file}`);
    }
    // Not only imported: each entry is a case of its own.
    for (const cases of ['clientFrames', 'serverFrames', ...(isChat ? ['turns'] : [])])
      expect(tests).toMatch(new RegExp(`it\\.each\\(${cases}\\)`));
  });

  it('[wires/pages] has a README with its frames in a table, and a page of its own in the reference', () => {
    const readme = readFileSync(new URL(`${name}/README.md`, SOURCES), 'utf8');
    expect(readme).toMatch(/^\| .*frame.* \|$/im);
    expect(readme).toMatch(/seeds\/00\d/);
    const page = new URL(`docs/reference/${name}.md`, ROOT);
    expect(existsSync(page)).toBe(true);
    const text = readFileSync(page, 'utf8');
    const paths = DIALECTS.filter((dialect) => dialect.name.startsWith(name)).map(({ path }) => path);
    for (const path of paths) expect(text).toContain(path.replace(/:(\w+)/g, '{$1}'));
  });
});

/** Where a golden frame came from: a source in words, or the line of a seed. */
function hasOrigin({ source, line }: { source?: unknown; line?: unknown }): boolean {
  return (typeof source === 'string' && source !== '') || typeof line === 'number';
}
