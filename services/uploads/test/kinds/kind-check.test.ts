import { docxWith, ooxmlOf, SAMPLE_FILES, tarOf, zipArchive } from '@natter/testkit';
import { describe, expect, it } from 'vitest';
import { KindCheck } from '../../src/kinds/kind-check.ts';
import { endingOf, KINDS } from '../../src/kinds/kind-table.ts';
import type { Kind } from '../../src/ports.ts';

const MISMATCH: Kind = { ok: false, code: 'FILE_TYPE_MISMATCH' };
const INLINE = ['jpg', 'jpeg', 'png', 'gif', 'bmp', 'webp'];
const TEXTS = ['txt', 'csv', 'json', 'html', 'css', 'js', 'py', 'md'];
/** Pairs whose contents can't be told apart, or are both. */
const SAME = [
  ['jpg', 'jpeg'],
  ['jpeg', 'jpg'],
  ...TEXTS.flatMap((text) => TEXTS.map((other) => [text, other])),
  ...[...TEXTS, 'xml'].flatMap((text) => ['svg', 'xml', 'rtf'].map((other) => [text, other])),
  ['xml', 'html'],
  ['xml', 'svg'],
  ['m4a', 'mp4'],
  ...['docx', 'xlsx', 'pptx', 'odt', 'ods', 'odp'].map((office) => ['zip', office]),
].map(([name, content]) => `${name} ${content}`);

function sample(ending: string): Uint8Array {
  const make = SAMPLE_FILES[ending];
  if (make === undefined) throw new Error(`no sample of ${ending}`);
  return make();
}

async function judge(name: string, content: Uint8Array | string, partBytes = 1 << 20): Promise<Kind> {
  const check = new KindCheck(name);
  const bytes = Buffer.from(content);
  for (let at = 0; at < bytes.length; at += partBytes) check.push(bytes.subarray(at, at + partBytes));
  return check.end();
}

describe('KindCheck', () => {
  it.each([...KINDS])('takes a %s for what it is', async (ending, kind) => {
    const expected = { ok: true, type: kind.type, inline: INLINE.includes(ending) };
    expect(await judge(`a.${ending}`, sample(ending))).toEqual(expected);
    expect(await judge(`A.${ending.toUpperCase()}`, sample(ending), 1)).toEqual(expected);
  });

  it.each([...KINDS.keys()])(
    '[files/type-by-content] refuses every other kind under the name of a %s',
    async (ending) => {
      const taken: string[] = [];
      for (const other of KINDS.keys())
        if (other !== ending && (await judge(`a.${ending}`, sample(other))).ok)
          taken.push(`${ending} ${other}`);
      expect(taken.filter((pair) => !SAME.includes(pair))).toEqual([]);
    },
  );

  it.each([...KINDS.keys()])(
    '[files/type-by-content] refuses a program and random bytes under the name of a %s',
    async (ending) => {
      const program = Buffer.concat([Buffer.from('MZ\x90\0\x03\0\0\0\x04', 'latin1'), Buffer.alloc(500)]);
      const noise = Buffer.from(
        Array.from({ length: 4_096 }, (_, index) => (index * 197 + (index >> 3)) & 0xff),
      );
      expect(await judge(`a.${ending}`, program)).toEqual(MISMATCH);
      expect(await judge(`a.${ending}`, noise)).toEqual(MISMATCH);
      expect(await judge(`a.${ending}`, '')).toEqual(
        TEXTS.includes(ending) ? { ok: true, type: KINDS.get(ending)?.type, inline: false } : MISMATCH,
      );
    },
  );

  it('never serves a text as something that a browser runs', () => {
    const types = [...KINDS].filter(([, kind]) => kind.content.by === 'text').map(([, kind]) => kind.type);
    expect([...new Set(types)].sort()).toEqual([
      'application/json',
      'application/rtf',
      'text/csv',
      'text/markdown',
      'text/plain',
    ]);
  });

  it('says so when the name is of no kind', async () => {
    expect(await judge('a.exe', 'x')).toEqual({ ok: false, code: 'FILE_TYPE_NOT_ALLOWED' });
    expect(endingOf('none')).toBe('');
  });

  it.each(INLINE)('refuses a page and a script under the name of a %s', async (ending) => {
    for (const content of [
      '<!doctype html><script>alert(1)</script>',
      '<svg onload="alert(1)">',
      'BM<script>alert(1)</script>                    ',
      'GIF<script>alert(1)</script>',
      '\ufeffGIF89a',
    ])
      expect(await judge(`a.${ending}`, content)).toEqual(MISMATCH);
  });

  it('takes a script behind the start of an image for the image', async () => {
    const gif = Buffer.concat([sample('gif'), Buffer.from('<script>alert(1)</script>')]);
    expect(await judge('a.gif', gif)).toEqual({ ok: true, type: 'image/gif', inline: true });
  });
});

describe('texts', () => {
  const plain: Kind = { ok: true, type: 'text/plain', inline: false };

  it.each([
    ['UTF-8', Buffer.from('Grüße 😀\n')],
    ['UTF-8 with its mark', Buffer.from('\ufeffGrüße 😀\n')],
    ['UTF-16, little end first', Buffer.from('\ufeffGrüße 😀\n', 'utf16le')],
    ['UTF-16, big end first', Buffer.from('\ufeffGrüße 😀\n', 'utf16le').swap16()],
    ['Latin-1', Buffer.from('Grüße\n', 'latin1')],
    ['colours of a terminal', Buffer.from('\x1b[31mred\x1b[0m\n')],
    ['a word that begins as an image does', Buffer.from('BMW and GIF and II and MZ\n')],
    ['a single byte', Buffer.from('x')],
  ])('takes %s', async (_, bytes) => {
    for (const partBytes of [1, 2, 3, 1_000]) expect(await judge('a.txt', bytes, partBytes)).toEqual(plain);
  });

  it.each([
    ['a NUL at the very end', Buffer.from(`${'x'.repeat(200_000)}\0`)],
    ['a control character', Buffer.from('a\x01b')],
    ['UTF-8 with its mark that is cut', Buffer.from('\ufeffü').subarray(0, -1)],
    ['UTF-8 with its mark that is wrong', Buffer.from([0xef, 0xbb, 0xbf, 0xc3, 0x28])],
    ['UTF-16 with a NUL', Buffer.from('\ufeffa\0b', 'utf16le')],
    ['UTF-16 with half a character', Buffer.from('\ufeff\ud83d!', 'utf16le')],
    ['UTF-16 that ends in half a character', Buffer.from('\ufeff\ud83d', 'utf16le')],
    ['UTF-16 that ends in half a unit', Buffer.from('\ufeffab', 'utf16le').subarray(0, -1)],
    ['UTF-32', Buffer.from([0xff, 0xfe, 0, 0, 0x41, 0, 0, 0])],
    ['the start of a PDF', Buffer.from('%PDF-1.4\n')],
    ['the start of a GIF', Buffer.from('GIF89a=1;alert(1)')],
    ['the start of a JPEG', Buffer.from([0xff, 0xd8, 0xff, 0xe1, 0x41])],
  ])('refuses %s', async (_, bytes) => {
    for (const partBytes of [1, 2, 3, 1_000])
      expect(await judge('a.txt', bytes, partBytes)).toEqual(MISMATCH);
  });

  it('takes JSON and Python that do not parse', async () => {
    expect((await judge('a.json', '{"open":')).ok).toBe(true);
    expect((await judge('a.py', 'def (')).ok).toBe(true);
  });

  it.each([
    '<svg><script>alert(1)</script></svg>',
    '<?xml version="1.0"?>\n<!DOCTYPE svg>\n<!-- dots -->\n<svg:svg xmlns:svg="x"/>',
    '\n\n  <svg>',
  ])('serves the SVG %j as plain text', async (svg) => {
    expect(await judge('a.svg', svg)).toEqual(plain);
  });

  it('takes an SVG in UTF-16', async () => {
    expect(await judge('a.svg', Buffer.from('\ufeff<svg/>', 'utf16le'))).toEqual(plain);
  });

  it.each(['<html></html>', 'svg', '<svgx>', ''])('takes %j for no SVG', async (content) => {
    expect(await judge('a.svg', content)).toEqual(MISMATCH);
  });
});

describe('archives and office files', () => {
  const WORD = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';
  const big = { name: 'docProps/big.bin', content: Buffer.alloc(100_000, 'x'), stored: true };
  const list = { name: '[Content_Types].xml', content: '<Types/>' };

  it('takes a plain ZIP for no office file, and an office file for a ZIP', async () => {
    expect(await judge('a.docx', zipArchive([{ name: 'a.txt', content: 'a' }]))).toEqual(MISMATCH);
    expect((await judge('a.zip', docxWith('<w/>'))).ok).toBe(true);
  });

  it('finds the content list of a DOCX behind a large first entry', async () => {
    const file = zipArchive([big, { name: 'word/document.xml', content: '<w/>' }, list]);
    for (const partBytes of [100, 70_000, 1 << 20])
      expect((await judge('a.docx', file, partBytes)).ok).toBe(true);
    expect(await judge('a.xlsx', file)).toEqual(MISMATCH);
  });

  it('takes no archive with a word folder and without a content list', async () => {
    const file = zipArchive([big, { name: 'word/document.xml', content: '<w/>' }]);
    expect(await judge('a.docx', file)).toEqual(MISMATCH);
  });

  it('refuses macros', async () => {
    const macros = 'application/vnd.ms-word.document.macroEnabled';
    expect(await judge('a.docx', ooxmlOf(macros, 'word/document.xml', '<w/>'))).toEqual(MISMATCH);
    const hidden = zipArchive([
      big,
      list,
      { name: 'word/a', content: '' },
      { name: 'word/vbaProject.bin', content: '' },
    ]);
    expect(await judge('a.docx', hidden)).toEqual(MISMATCH);
  });

  it('takes an office file that is cut off after its content list by that list', async () => {
    const file = ooxmlOf(WORD, 'word/document.xml', 'x'.repeat(10_000));
    expect((await judge('a.docx', file.subarray(0, 500))).ok).toBe(true);
  });

  it('survives directories that lie about their length', async () => {
    for (const length of [0, 1, 0x7fffffff, 0xffffffff]) {
      const file = Buffer.from(zipArchive([big, list, { name: 'word/a', content: 'a' }]));
      file.writeUInt32LE(length, file.length - 10);
      expect(await judge('a.docx', file)).toEqual(MISMATCH);
    }
  });

  it('takes an installer, which has the magic of a Word file, for none', async () => {
    const installer = Buffer.from(sample('doc'));
    installer.write('Binary.setup\0', 1024 + 128, 'utf16le');
    expect(await judge('a.doc', installer)).toEqual(MISMATCH);
  });

  it('takes a tar without its mark and with a wrong sum for none', async () => {
    const tar = Buffer.from(tarOf('a.txt', 'a'));
    tar.fill(0, 257, 263);
    expect(await judge('a.tar', tar)).toEqual(MISMATCH);
  });
});
