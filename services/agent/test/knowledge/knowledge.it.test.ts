import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@natter/runtime';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Knowledge, openKnowledge } from '../../src/knowledge/knowledge.ts';
import { retrievalQuery } from '../../src/knowledge/retrieval-query.ts';
import { scanFolder } from '../../src/knowledge/scan-folder.ts';

let dir: string;
let knowledge: Knowledge | null = null;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'natter-knowledge-'));
});
afterEach(async () => {
  await knowledge?.close();
  knowledge = null;
  await rm(dir, { recursive: true, force: true });
});

const write = (name: string, text: string | Uint8Array) => writeFile(join(dir, name), text);
const open = async (options: { rescanMs?: number } = {}) => {
  knowledge = await openKnowledge({ dir, log: createLogger('test', 'silent'), debounceMs: 10, ...options });
  return knowledge;
};
const find = (word: string) =>
  knowledge?.search(retrievalQuery(word, null), { folders: null }, 10).map(({ source }) => source);

describe('openKnowledge', () => {
  it('reads Markdown and text below the folder, and names files by their relative path', async () => {
    await mkdir(join(dir, 'specs/deep'), { recursive: true });
    await write('specs/deep/a.md', '# A\napple');
    await write('b.txt', 'apple');
    await write('c.json', 'apple');
    await write('.hidden.md', 'apple');
    await open();
    expect(find('apple')?.sort()).toEqual(['b.txt', 'specs/deep/a.md']);
  });

  it('says which folder it could not read', async () => {
    const missing = openKnowledge({ dir: join(dir, 'missing'), log: createLogger('test', 'silent') });
    await expect(missing).rejects.toMatchObject({
      code: 'KNOWLEDGE',
      message: expect.stringContaining('missing'),
    });
  });

  it('leaves out what is no text or too large and reads the rest', async () => {
    await write('bad.md', new Uint8Array([0xff, 0xfe, 0x41]));
    await write('zero.md', 'apple\0');
    await write('huge.md', 'apple '.repeat(200_000));
    await write('good.md', 'apple');
    await open();
    expect(find('apple')).toEqual(['good.md']);
  });

  it('follows no link out of the folder, but those within it', async () => {
    const outside = await mkdtemp(join(tmpdir(), 'natter-outside-'));
    await writeFile(join(outside, 'secret.md'), 'apple');
    await mkdir(join(dir, '..data'));
    await write('..data/real.md', 'apple');
    await symlink('..data/real.md', join(dir, 'mounted.md'));
    await symlink(join(outside, 'secret.md'), join(dir, 'secret.md'));
    await symlink(outside, join(dir, 'folder'));
    await symlink('.', join(dir, 'ring'));
    await open();
    expect(find('apple')).toEqual(['mounted.md']);
    expect((await scanFolder(dir)).skipped).toEqual([
      'folder: a link that leads out of the folder',
      'secret.md: a link that leads out of the folder',
    ]);
    await rm(outside, { recursive: true });
  });
});

describe('a folder that changes', () => {
  it('is read again when a file is added, changed and removed', async () => {
    await write('a.md', 'apple');
    await open({ rescanMs: 100 });
    await mkdir(join(dir, 'sub'));
    await write('sub/b.md', 'banana');
    await vi.waitFor(() => expect(find('banana')).toEqual(['sub/b.md']), 10_000);
    await write('a.md', 'cherry and more');
    await vi.waitFor(() => expect(find('cherry')).toEqual(['a.md']), 10_000);
    expect(find('apple')).toEqual([]);
    await rm(join(dir, 'sub'), { recursive: true });
    await vi.waitFor(() => expect(find('banana')).toEqual([]), 10_000);
  });

  it('keeps what it knew while the folder can not be read', async () => {
    await write('a.md', 'apple');
    const opened = await open();
    await rename(dir, `${dir}-away`);
    await opened.reload();
    expect(find('apple')).toEqual(['a.md']);
    await rename(`${dir}-away`, dir);
  });
});
