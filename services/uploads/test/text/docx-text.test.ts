import { deflateBomb, docxOf, docxWith, SAMPLE_FILES, WORD_NAMESPACE, zipArchive } from '@natter/testkit';
import { describe, expect, it } from 'vitest';
import { docxText } from '../../src/text/child/docx-text.ts';

async function textOf(bytes: Uint8Array, most = 1_000_000): Promise<string> {
  let text = '';
  await docxText(bytes, (piece) => {
    text += piece;
    return text.length < most;
  });
  return text;
}

function body(inner: string): Uint8Array {
  const more = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" xmlns:x="urn:other"';
  return docxWith(`<w:document xmlns:w="${WORD_NAMESPACE}" ${more}><w:body>${inner}</w:body></w:document>`);
}

describe('docxText', () => {
  it('has a line for each paragraph', async () => {
    expect(await textOf(docxOf(['Fish & <chips>', '', 'Grüße 😀']))).toBe('Fish & <chips>\n\nGrüße 😀\n');
  });

  it('has tabs and breaks, and nothing but the text of runs', async () => {
    const text = await textOf(
      body(
        '<w:p>\n <w:r><w:t xml:space="preserve">a </w:t><w:tab/><w:t>b</w:t><w:br/></w:r>' +
          '<w:del><w:r><w:delText>gone</w:delText></w:r></w:del><w:instrText>PAGE</w:instrText>' +
          '<x:t>of another language</x:t><w:r><w:t>c</w:t></w:r></w:p>',
      ),
    );
    expect(text).toBe('a \tb\nc\n');
  });

  it('reads what stands there twice, for old and new programs, once', async () => {
    const text = await textOf(
      body(
        '<mc:AlternateContent><mc:Choice><w:p><w:r><w:t>new</w:t></w:r></w:p></mc:Choice>' +
          '<mc:Fallback><w:p><w:r><w:t>old</w:t></w:r></w:p></mc:Fallback></mc:AlternateContent><w:p/>',
      ),
    );
    expect(text).toBe('new\n\n');
  });

  it('reads the strict namespace under another prefix', async () => {
    const strict = 'http://purl.oclc.org/ooxml/wordprocessingml/main';
    expect(await textOf(docxWith(`<document xmlns="${strict}"><p><t>a</t></p></document>`))).toBe('a\n');
  });

  it('stops when there is enough', async () => {
    const many = Array.from({ length: 10_000 }, (_, index) => `paragraph ${index}`);
    expect((await textOf(docxOf(many), 100)).length).toBeLessThan(200);
  });

  it('stops after 16 MiB of a document that goes on for a gibibyte', async () => {
    const bomb = zipArchive([
      { name: 'word/document.xml', content: deflateBomb(1_024), deflatedTo: 1024 ** 3 },
    ]);
    expect(await textOf(bomb)).toBe('');
  });

  it.each([
    ['a document that is longer than it says', () => bombThatSays(1_000)],
    [
      'an encrypted document',
      () => zipArchive([{ name: 'word/document.xml', content: '<w/>', encrypted: true }]),
    ],
    ['an archive without a document', () => zipArchive([{ name: 'word/other.xml', content: '<w/>' }])],
    ['what is no archive', () => Buffer.from('PK\x03\x04 nothing')],
    ['an archive that is cut off', () => docxOf(['a']).subarray(0, 200)],
    ['a document that is no XML', () => docxWith('<w:p><w:t></w:p>')],
    ['entities of its own', () => docxWith('<!DOCTYPE w [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><w>&b;</w>')],
    ['elements nested without end', () => docxWith('<w>'.repeat(100_000))],
    ['a plain text', () => SAMPLE_FILES.txt?.() ?? Buffer.alloc(0)],
  ])('throws for %s', async (_, make) => {
    await expect(textOf(make())).rejects.toThrow();
  });
});

function bombThatSays(length: number): Uint8Array {
  return zipArchive([{ name: 'word/document.xml', content: deflateBomb(64), deflatedTo: length }]);
}
