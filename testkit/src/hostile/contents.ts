/** Contents that are not what their names say. */
import { oleOf, ooxmlOf } from '../office-files.ts';
import { SAMPLE_FILES } from '../sample-files.ts';
import { zipArchive } from '../zip-archive.ts';
import { type HostileFile, harmless, text } from './hostile-file.ts';

const ENDINGS = Object.keys(SAMPLE_FILES);
/** What may have any text in it is served as text; the others must refuse a page. */
const ANY_TEXT = new Set(['txt', 'csv', 'json', 'xml', 'html', 'css', 'js', 'py', 'md']);

const PAGE = '<!doctype html><html><script>fetch("/api/v1/files")</script></html>\n';
const PROGRAM = Buffer.concat([Buffer.from('4d5a90000300000004000000ffff0000', 'hex'), Buffer.alloc(2_000)]);
const ELF = Buffer.concat([Buffer.from('7f454c4602010100', 'hex'), Buffer.alloc(2_000)]);
const MACROS = 'application/vnd.ms-word.document.macroEnabled';

const CONTENTS_BY_NAME: [string, string, () => Uint8Array][] = [
  ['an SVG with a script', 'a.png', text('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>')],
  ['a page behind two bytes of a BMP', 'a.bmp', text(`BM${PAGE}`)],
  ['a page behind three bytes of a GIF', 'a.gif', text(`GIF${PAGE}`)],
  ['a script behind six bytes of a GIF', 'a.js', text('GIF89a=1;alert(1)')],
  ['a page behind a byte order mark', 'a.jpg', text(`\ufeff${PAGE}`)],
  ['PHP', 'a.jpg', text('<?php system($_GET["c"]); ?>')],
  ['a Flash film', 'a.gif', () => Buffer.from('43575309a0000000789c', 'hex')],
  ['a PDF behind a page', 'a.pdf', () => joined(text(PAGE)(), sample('pdf'))],
  ['a PDF behind a byte order mark', 'a.pdf', () => joined(Buffer.from('\ufeff'), sample('pdf'))],
  ['PostScript', 'a.pdf', text('%!PS-Adobe-3.0\n(/etc/passwd) (r) file\n')],
  ['a PDF', 'a.txt', () => sample('pdf')],
  ['PostScript', 'a.txt', text('%!PS-Adobe-3.0\n')],
  ['a plain ZIP', 'a.docx', () => sample('zip')],
  [
    'a Java archive',
    'a.docx',
    () => zipArchive([{ name: 'META-INF/MANIFEST.MF', content: 'Main-Class: A\n' }]),
  ],
  ['macros', 'a.docx', () => ooxmlOf(MACROS, 'word/document.xml', '<w/>')],
  ['a table', 'a.docx', () => sample('xlsx')],
  ['an old document', 'a.docx', () => sample('doc')],
  ['an installer', 'a.doc', () => oleOf('Binary.setup')],
  ['a table', 'a.doc', () => sample('xls')],
  ['a new document', 'a.doc', () => sample('docx')],
  ['an OpenDocument table', 'a.odt', () => sample('ods')],
  ['a program that is also an archive', 'a.zip', () => joined(PROGRAM, sample('zip'))],
  ['a cabinet', 'a.zip', () => joined(Buffer.from('MSCF'), Buffer.alloc(64))],
  ['an xz archive', 'a.gz', () => Buffer.from('fd377a585a000004', 'hex')],
  ['a Matroska film', 'a.webm', () => Buffer.from('1a45dfa38b4282886d6174726f736b61', 'hex')],
  ['an ELF program', 'a.txt', () => ELF],
  ['an ELF program', 'a.py', () => ELF],
  ['a NUL at its very end', 'a.txt', () => joined(harmless(200_000), Buffer.from([0]))],
  ['a program at its end', 'a.csv', () => joined(harmless(200_000), PROGRAM)],
  ['UTF-16 with half of a character', 'a.txt', () => Buffer.from('\ufeff\ud83d!', 'utf16le')],
  ['UTF-8 with its mark that is none', 'a.md', () => Buffer.from('efbbbfc328', 'hex')],
  ['an endless run of NULs', 'a.json', () => Buffer.alloc(300_000)],
  ['HTML without an SVG', 'a.svg', text(PAGE)],
  ['text that is no RTF', 'a.rtf', text(PAGE)],
];

export const CONTENTS: HostileFile[] = [
  ...ENDINGS.filter((ending) => !ANY_TEXT.has(ending)).map((ending) =>
    mismatch('a page with a script', `a.${ending}`, text(PAGE)),
  ),
  ...ENDINGS.map((ending) => mismatch('a Windows program', `a.${ending}`, () => PROGRAM)),
  // Every kind once under the name of the next but two, unless any text may stand in both.
  ...ENDINGS.flatMap((ending, index) => {
    const other = ENDINGS[(index + 3) % ENDINGS.length] ?? ending;
    if (ANY_TEXT.has(ending) && ANY_TEXT.has(other)) return [];
    return [mismatch(`a ${ending}`, `a.${other}`, () => sample(ending))];
  }),
  ...CONTENTS_BY_NAME.map(([what, name, bytes]) => mismatch(what, name, bytes)),
];

function mismatch(what: string, name: string, bytes: () => Uint8Array): HostileFile {
  return {
    what: `${what} under the name ${name}`,
    name,
    declaredType: null,
    bytes,
    expect: 'FILE_TYPE_MISMATCH',
    stage: 'finalize',
  };
}

function sample(ending: string): Uint8Array {
  const make = SAMPLE_FILES[ending];
  if (make === undefined) throw new Error(`no sample of ${ending}`);
  return make();
}

function joined(...parts: Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}
