import { describe, expect, it } from 'vitest';
import { FILE_TEXTS_LIMITS, FileTexts, searchableFile } from '../../src/knowledge/file-texts.ts';
import { retrievalQuery } from '../../src/knowledge/retrieval-query.ts';

const file = (name: string, text: string) => searchableFile({ id: name, name, text });
const build = (...files: ReturnType<typeof file>[]) => FileTexts.build(files, { firstFile: 1, lastText: 1 });
const find = (texts: FileTexts, question: string) =>
  texts.search(retrievalQuery(question, null), 3).map(({ source, title }) => [source, title]);

const LIST = file('shopping.txt', 'Milk, eggs and flour.');
const REPORT = file('report.md', '# Costs\nRent went up.\n# Outlook\nRent stays.');

describe('FileTexts', () => {
  it('finds passages, with the name as source and above the headings', async () => {
    const texts = await build(LIST, REPORT);
    expect(find(texts, 'Do I need eggs?')).toEqual([['shopping.txt', 'shopping.txt']]);
    expect(find(texts, 'What is the outlook?')).toEqual([['report.md', 'report.md / Outlook']]);
  });

  it('finds a file by its name', async () => {
    const texts = await build(LIST, REPORT);
    expect(find(texts, 'What is on shopping.txt?')).toEqual([['shopping.txt', 'shopping.txt']]);
  });

  it('finds nothing where nothing matches', async () => {
    const texts = await build(LIST, REPORT);
    expect(find(texts, 'What is the engine torque?')).toEqual([]);
    expect(find(texts, 'And?')).toEqual([]);
  });

  it('takes the beginning of the newest file for a question about the file', async () => {
    const texts = await build(LIST, REPORT);
    expect(find(texts, 'Summarise the document')).toEqual([
      ['report.md', 'report.md / Costs'],
      ['report.md', 'report.md / Outlook'],
    ]);
  });

  it('shows a passage once that was found and begins the newest file', async () => {
    const texts = await build(REPORT, LIST);
    expect(find(texts, 'Are eggs in the file?')).toEqual([['shopping.txt', 'shopping.txt']]);
  });

  it('keeps the newest files of more than it may hold', async () => {
    const many = Array.from({ length: FILE_TEXTS_LIMITS.files + 1 }, (_, n) => file(`${n}.txt`, `text ${n}`));
    const texts = await build(...many);
    expect(texts.files.map(({ name }) => name)).toEqual(many.slice(1).map(({ name }) => name));
  });

  it('keeps the newest files of more characters than it may hold', async () => {
    const half = { ...LIST, chars: FILE_TEXTS_LIMITS.chars / 2 };
    const texts = await build({ ...half, id: 'a' }, { ...half, id: 'b' }, { ...half, id: 'c' });
    expect(texts.files.map(({ id }) => id)).toEqual(['b', 'c']);
    expect(texts.chars).toBe(FILE_TEXTS_LIMITS.chars);
  });

  it('counts very short sections for what their index takes, and never more than a long text', () => {
    expect(file('short.md', '# a\nb\n'.repeat(50)).chars).toBe(50 * 100);
    const shortest = file('short.md', '# a\nb\n'.repeat(40_000));
    expect([shortest.passages.length, shortest.chars]).toEqual([3_000, 300_000]);
    expect(file('long.txt', 'word '.repeat(60_000))).toMatchObject({ chars: 300_000 });
  });
});
