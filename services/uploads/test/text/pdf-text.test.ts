import { pdfOf, pdfWith } from '@natter/testkit';
import { describe, expect, it } from 'vitest';
import { pdfText } from '../../src/text/child/pdf-text.ts';

async function pagesOf(bytes: Uint8Array, most = 100): Promise<string[]> {
  const pages: string[] = [];
  await pdfText(Uint8Array.from(bytes), (page) => pages.push(page) < most);
  return pages;
}

describe('pdfText', () => {
  it('has the text of each page', async () => {
    expect(await pagesOf(pdfOf(['Hello (you)', 'Second']))).toEqual(['Hello (you)\n', 'Second\n']);
  });

  it('stops when there is enough', async () => {
    expect(await pagesOf(pdfOf(['one', 'two', 'three']), 2)).toEqual(['one\n', 'two\n']);
  });

  it('has nothing of a page without text, as a scanner makes them', async () => {
    const drawn = pdfWith([{ content: Buffer.from('10 10 100 100 re f') }]);
    expect(await pagesOf(drawn)).toEqual(['\n']);
  });

  it('has nothing of a stream that can not be inflated', async () => {
    const broken = pdfWith([{ content: Buffer.from('nothing like zlib'), filter: '/FlateDecode' }]);
    expect(await pagesOf(broken)).toEqual(['\n']);
  });

  it.each(['%PDF-1.4\n', '%PDF-1.4\n%%EOF', 'no PDF'])('throws for %j', async (content) => {
    await expect(pagesOf(Buffer.from(content))).rejects.toThrow();
  });
});
