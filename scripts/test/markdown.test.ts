import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
/** The seed document is not ours to correct. */
const NOT_OURS = /(^|\/)(node_modules|fixtures|\.\w+)(\/|$)/;
const FILES = globSync('**/*.md', { cwd: ROOT, exclude: (path) => NOT_OURS.test(path) }).filter(
  (path) => !NOT_OURS.test(path),
);

const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const withoutCode = (text: string) => text.replace(/^```[\s\S]*?^```$/gm, '');

/** Where the relative links of a file lead: path from the root, and heading. */
function links(file: string): { link: string; path: string; anchor: string }[] {
  const found = withoutCode(read(file)).matchAll(/\]\(([^)\s]+)\)/g);
  return [...found].flatMap(({ 1: link = '' }) => {
    if (/^[a-z]+:/.test(link)) return [];
    const [path = '', anchor = ''] = link.split('#');
    return [{ link, path: path === '' ? file : join(dirname(file), path), anchor }];
  });
}

/** The anchors that GitHub gives to headings. */
function anchors(file: string): string[] {
  return [...withoutCode(read(file)).matchAll(/^#+ (.+)$/gm)].map(({ 1: heading = '' }) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

describe('the Markdown files', () => {
  it('link to files and headings that exist', () => {
    const broken = FILES.flatMap((file) =>
      links(file)
        .filter(({ path, anchor }) => {
          if (!existsSync(join(ROOT, path))) return true;
          return anchor !== '' && !anchors(path).includes(anchor);
        })
        .map(({ link }) => `${file}: ${link}`),
    );
    expect(broken).toEqual([]);
  });

  it('name files and folders that exist', () => {
    const all = globSync('**', { cwd: ROOT, exclude: (path) => /(^|\/)(node_modules|\.\w+)$/.test(path) })
      .map((path) => `/${path}`)
      .join('\n');
    const missing = FILES.flatMap((file) =>
      [...withoutCode(read(file)).matchAll(/`((?:[\w-]+\/)+(?:[\w.-]+\.(?:ts|mjs|md|html))?)`/g)]
        .map(([, path = '']) => path)
        // Pages about one folder name what is in it by the end of its path.
        .filter((path) => !all.includes(`/${path}`))
        .map((path) => `${file}: ${path}`),
    );
    expect(missing).toEqual([]);
  });

  it('name settings that exist', () => {
    const known = new Set(
      read('.env.example')
        .match(/^#[A-Z][A-Z_]+(?==)/gm)
        ?.map((name) => name.slice(1)),
    );
    const unknown = FILES.flatMap((file) =>
      [
        ...read(file).matchAll(
          /\b(?:NATTER|WS|WEBSOCKET|OPENAI|OPENROUTER|DEMO_MODEL|KNOWLEDGE)_[A-Z_]*[A-Z]\b/g,
        ),
      ]
        .map(([name]) => name)
        .filter((name) => !known.has(name))
        .map((name) => `${file}: ${name}`),
    );
    expect(unknown).toEqual([]);
  });
});
