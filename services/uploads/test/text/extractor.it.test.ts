import { deflateSync } from 'node:zlib';
import {
  deflateBomb,
  docxOf,
  docxWith,
  pdfOf,
  pdfWith,
  SAMPLE_FILES,
  zipArchive,
  zlibBomb,
} from '@natter/testkit';
import { afterAll, describe, expect, it } from 'vitest';
import { KINDS } from '../../src/kinds/kind-table.ts';
import { createTextExtractor } from '../../src/text/extractor.ts';

/** Long, as machines that run tests have other things to do. */
const extractor = createTextExtractor({ timeoutMs: 60_000 });
afterAll(() => extractor.close());

function extract(name: string, content: Uint8Array | string, by = extractor): Promise<string | null> {
  const bytes = Buffer.from(content);
  async function* read() {
    for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
  }
  return by.extract({ name, type: 'as it is' }, read);
}

describe('the text of a file', () => {
  it.each(['txt', 'csv', 'json', 'xml', 'html', 'css', 'js', 'py', 'md', 'pdf', 'docx'])(
    '[text/kinds] is had of a %s',
    async (ending) => {
      expect(await extract(`a.${ending}`, SAMPLE_FILES[ending]?.() ?? '')).toContain(
        `Hello from a ${ending}`,
      );
    },
  );

  it('is had of no other kind', async () => {
    const others = [...KINDS.keys()].filter(
      (ending) => !/^(txt|csv|json|xml|html|css|js|py|md|pdf|docx)$/.test(ending),
    );
    for (const ending of others)
      expect(await extract(`a.${ending}`, SAMPLE_FILES[ending]?.() ?? '')).toBeNull();
  });

  it('has no control characters, and lines that end in one way', async () => {
    expect(await extract('a.txt', 'a\r\nb\rc\x1b[0m\x07\td\f')).toBe('a\nb\nc[0m\td\n');
  });

  it('is null where there is nothing but white space, as in a PDF of pictures', async () => {
    expect(await extract('a.txt', ' \n\t')).toBeNull();
    expect(await extract('a.pdf', pdfWith([{ content: Buffer.from('10 10 100 100 re f') }]))).toBeNull();
    expect(await extract('a.docx', docxOf(['']))).toBeNull();
  });

  it('is cut between characters', async () => {
    const short = createTextExtractor({ chars: 4 });
    expect(await extract('a.txt', 'abc😀', short)).toBe('abc');
    expect(await extract('a.docx', docxOf(['abc😀']), short)).toBe('abc');
    expect(await extract('a.pdf', pdfOf(['abcdef']), short)).toBe('abcd');
    await short.close();
  });

  it.each([
    ['a.pdf', '%PDF-1.4\nno more'],
    ['a.docx', 'PK\x03\x04'],
  ])('can not be had of a broken %s', async (name, content) => {
    await expect(extract(name, content)).rejects.toMatchObject({ code: 'TEXT_UNREADABLE' });
  });
});

describe('a bomb', () => {
  const OPERATORS = 'BT /F1 1 Tf 1 1 Td (aaaaaaaaaaaaaaaa) Tj ET\n';

  it.each([
    ['a.pdf', 'a page of 4 GiB', () => pdfWith([{ content: zlibBomb(4_096), filter: '/FlateDecode' }])],
    [
      'a.pdf',
      'the same, deflated twice',
      () => pdfWith([{ content: deflateSync(zlibBomb(4_096)), filter: '/FlateDecode /FlateDecode' }]),
    ],
    [
      'a.pdf',
      'a page of 512 MiB of text',
      () => pdfWith([{ content: zlibBomb(512, OPERATORS), filter: '/FlateDecode' }]),
    ],
  ])('[text/limits] in %s ends its process only: %s', async (name, _, make) => {
    await expect(extract(name, make())).rejects.toMatchObject({ code: 'TEXT_TOO_MUCH' });
    expect(await extract('b.docx', docxOf(['still here']))).toBe('still here\n');
  });

  it('[text/archives] in a DOCX has no text, and its other entries are never unpacked', async () => {
    const document = { name: 'word/document.xml', content: deflateBomb(1_024), deflatedTo: 1024 ** 3 };
    expect(await extract('a.docx', zipArchive([document]))).toBeNull();
    const picture = { name: 'word/media/1.png', content: deflateBomb(4_000), deflatedTo: 4_000 * 1024 ** 2 };
    const archive = zipArchive([picture, { name: 'word/document.xml', content: '<w/>' }, picture]);
    expect(await extract('a.docx', archive)).toBeNull();
    await expect(extract('a.docx', docxWith('<w>'.repeat(1_000_000)))).rejects.toMatchObject({
      code: 'TEXT_UNREADABLE',
    });
  });
});

describe('files at once', () => {
  it('are read one after the other, and too many are sent away', async () => {
    const small = createTextExtractor({ timeoutMs: 60_000, maxWaiting: 1 });
    const first = extract('1.docx', docxOf(['first']), small);
    const second = extract('2.docx', docxOf(['second']), small);
    await expect(extract('3.docx', docxOf(['third']), small)).rejects.toMatchObject({ code: 'TEXT_BUSY' });
    expect(await extract('4.txt', 'texts need not wait', small)).toBe('texts need not wait');
    expect(await Promise.all([first, second])).toEqual(['first\n', 'second\n']);
    await small.close();
  });

  it('are given up when the service stops, those that wait too', async () => {
    const stopping = createTextExtractor({ timeoutMs: 60_000 });
    const given = ['1.docx', '2.docx'].map((name) =>
      expect(extract(name, docxOf(['a']), stopping)).rejects.toMatchObject({ code: 'TEXT_CLOSED' }),
    );
    await stopping.close();
    await Promise.all(given);
  });
});
