import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadAgents } from '../../src/agents/agent-catalogue.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'natter-agents-'));
});
afterEach(() => rm(dir, { recursive: true }));

const add = (name: string, extra = '', file = `${name}.md`) =>
  writeFile(
    join(dir, file),
    `---\nname: ${name}\ndescription: About ${name}.\n${extra}\n---\nPrompt of ${name}`,
  );
const load = () => loadAgents(dir, new Set(['find']));

describe('loadAgents', () => {
  it('takes every Markdown file of the folder', async () => {
    await add('b', 'default: true');
    await add('a', 'tools: [find]');
    await writeFile(join(dir, 'notes.txt'), 'not an agent');
    const catalogue = await load();
    expect(catalogue.agents.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(catalogue.fallback.name).toBe('b');
    expect(catalogue.get('a')?.prompt).toBe('Prompt of a');
    expect(catalogue.get('c')).toBeUndefined();
  });

  it('makes a single agent the one for everything', async () => {
    await add('a');
    expect((await load()).fallback.name).toBe('a');
  });

  it('routes nothing to an agent that a client has to name', async () => {
    await add('a');
    await add('b', 'routed: false');
    const catalogue = await load();
    expect(catalogue.routed.map(({ name }) => name)).toEqual(['a']);
    expect(catalogue.fallback.name).toBe('a');
    expect(catalogue.get('b')?.routed).toBe(false);
  });

  it.each<[string, () => Promise<unknown>, RegExp]>([
    ['an empty folder', async () => undefined, /no \*\.md/],
    ['a tool that does not exist', () => add('a', 'tools: [fly]'), /a\.md: tools: there is no fly/],
    ['one name twice', () => Promise.all([add('a'), add('a', '', 'z.md')]), /z\.md: name/],
    ['no default among several', () => Promise.all([add('a'), add('b')]), /default/],
    ['two defaults', () => Promise.all([add('a', 'default: true'), add('b', 'default: true')]), /default/],
    ['a default that is not routed', () => add('a', 'default: true\nrouted: false'), /default/],
    [
      'a file above 64 KiB',
      () => writeFile(join(dir, 'a.md'), 'x'.repeat(65_537)),
      /a\.md: larger than 64 KiB/,
    ],
    ['a file that is no text', () => writeFile(join(dir, 'a.md'), new Uint8Array([0xff])), /a\.md: .*UTF-8/],
    [
      'more than 50 agents',
      () => Promise.all(Array.from({ length: 51 }, (_, n) => add(`a${n}`))),
      /50 agents/,
    ],
  ])('refuses %s', async (_name, prepare, message) => {
    await prepare();
    await expect(load()).rejects.toMatchObject({
      code: 'AGENT_FILE',
      message: expect.stringMatching(message),
    });
  });

  it('names a folder that is not there', async () => {
    await expect(loadAgents(join(dir, 'missing'), new Set())).rejects.toThrow(/missing/);
  });
});
