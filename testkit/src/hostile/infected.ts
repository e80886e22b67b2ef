/** Files with EICAR in them, as far as clamd sees it. */
import { gzipSync } from 'node:zlib';
import { eicar } from '../eicar.ts';
import { docxOf } from '../office-files.ts';
import { pdfOf } from '../pdf-file.ts';
import { SAMPLE_FILES, tarOf } from '../sample-files.ts';
import { zipArchive } from '../zip-archive.ts';
import { HOSTILE_PART_BYTES, type HostileFile, harmless } from './hostile-file.ts';

const FILES: [string, string, () => Uint8Array][] = [
  ['alone', 'a.txt', eicar],
  ['at the start', 'a.txt', () => joined(eicar(), harmless(200_000))],
  ['at the tail', 'a.txt', () => joined(harmless(200_000), eicar())],
  ['at the tail of 5 MB', 'a.txt', () => joined(harmless(5_000_000), eicar())],
  [
    'across the border of two parts',
    'a.txt',
    () => joined(harmless(HOSTILE_PART_BYTES - 30), eicar(), harmless(HOSTILE_PART_BYTES)),
  ],
  ['in a table', 'a.csv', () => joined(Buffer.from('a,b\n1,'), eicar())],
  ['in a page', 'a.html', () => joined(Buffer.from('<p>'), eicar(), Buffer.from('</p>'))],
  ['in a script', 'a.js', () => joined(Buffer.from('// '), eicar())],
  ['behind a PDF', 'a.pdf', () => joined(pdfOf(['a']), eicar())],
  ['behind a PNG', 'a.png', () => joined(SAMPLE_FILES.png?.() ?? new Uint8Array(), eicar())],
  ['in a ZIP', 'a.zip', () => zipArchive([{ name: 'a.com', content: eicar() }])],
  ['stored in a ZIP', 'a.zip', () => zipArchive([{ name: 'a.com', content: eicar(), stored: true }])],
  ['last of 100 in a ZIP', 'a.zip', () => zipArchive([...hundred(), { name: 'z', content: eicar() }])],
  ['in a ZIP in a ZIP', 'a.zip', () => zipArchive([{ name: 'b.zip', content: inner() }])],
  ['behind a DOCX', 'a.docx', () => joined(docxOf(['a']), eicar())],
  ['in a gzip', 'a.gz', () => gzipSync(eicar())],
  ['in a tar', 'a.tar', () => tarOf('a.com', Buffer.from(eicar()).toString('latin1'))],
];

export const INFECTED: HostileFile[] = FILES.map(([where, name, bytes]) => ({
  what: `EICAR ${where} (${name})`,
  name,
  declaredType: null,
  bytes,
  expect: 'FILE_INFECTED',
  needsScanner: true,
  stage: 'finalize',
}));

function hundred() {
  return Array.from({ length: 99 }, (_, index) => ({ name: `${index}.txt`, content: 'harmless' }));
}

function inner(): Uint8Array {
  return zipArchive([{ name: 'a.com', content: eicar() }]);
}

function joined(...parts: Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}
