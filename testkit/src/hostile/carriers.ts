/** Files of allowed kinds that would do harm to whoever runs, shows or unpacks them. */
import { deflateSync, gzipSync } from 'node:zlib';
import { deflateBomb, zlibBomb } from '../deflate-bomb.ts';
import { docxWith } from '../office-files.ts';
import { pdfOf, pdfWith } from '../pdf-file.ts';
import { SAMPLE_FILES, tarOf } from '../sample-files.ts';
import { zipArchive } from '../zip-archive.ts';
import { type HostileFile, text } from './hostile-file.ts';

const SVG = 'xmlns="http://www.w3.org/2000/svg"';
const GIBIBYTE = 1024 ** 3;

const bomb = () => ({ content: deflateBomb(1_024), deflatedTo: GIBIBYTE });

/** clamd says so (AlertExceedsMax); of the other bombs it looks at as much as its limits allow. */
const OVER_SCANNER_LIMITS = new Set([
  'a PDF that is a bomb',
  'a PDF that is a bomb in a bomb',
  'a ZIP with sixteen bombs',
]);

const CARRIERS: [string, string, string | null, () => Uint8Array][] = [
  ['an SVG with a script', 'a.svg', 'image/svg+xml', text(`<svg ${SVG}><script>alert(1)</script></svg>`)],
  ['an SVG that acts when it is shown', 'a.svg', 'image/svg+xml', text(`<svg ${SVG} onload="alert(1)"/>`)],
  [
    'an SVG with a page in it',
    'a.svg',
    'text/html',
    text(`<svg ${SVG}><foreignObject><iframe src="javascript:alert(1)"/></foreignObject></svg>`),
  ],
  [
    'an SVG in UTF-16',
    'a.svg',
    'image/svg+xml',
    () => Buffer.from(`\ufeff<svg ${SVG} onload="x()"/>`, 'utf16le'),
  ],
  ['a page with a script', 'a.html', 'text/html', text('<script>fetch("/api/v1/files")</script>')],
  ['a page that says it is text', 'a.txt', 'text/html', text('<script>alert(1)</script>')],
  ['a page in UTF-16', 'a.txt', 'text/html', () => Buffer.from('\ufeff<script>alert(1)</script>', 'utf16le')],
  ['a page that closes its frame', 'a.json', 'application/json', text('{"a":"</script><script>alert(1)//"}')],
  ['a script', 'a.js', 'application/javascript', text('alert(document.cookie)')],
  ['a shell script', 'a.txt', 'text/plain', text('#!/bin/sh\nrm -rf /\n')],
  ['PHP in a text', 'a.txt', 'text/plain', text('<?php system($_GET["c"]); ?>')],
  [
    'links that are scripts',
    'a.md',
    'text/markdown',
    text('[a](javascript:alert(1)) ![b](x" onerror="alert(1))'),
  ],
  ['formulas', 'a.csv', 'text/csv', text('=cmd|"/c calc"!A1,@SUM(1),+1,-1\n')],
  ['commands for a terminal', 'a.txt', 'text/plain', text('\x1b]0;owned\x07\x1b[2J\x1b[31mred\n')],
  [
    'an entity from outside',
    'a.xml',
    'text/xml',
    text('<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>'),
  ],
  ['entities that multiply', 'a.xml', 'text/xml', () => Buffer.from(laughs('a'))],
  ['XML that is a page for browsers', 'a.xml', 'text/xml', text('<x xmlns="http://www.w3.org/1999/xhtml"/>')],
  ['styles that read another site', 'a.css', 'text/css', text('@import url(http://127.0.0.1:8222/);')],
  ['JSON nested 100,000 deep', 'a.json', 'application/json', () => Buffer.alloc(100_000, '[')],
  ['a key that every object has', 'a.json', 'application/json', text('{"__proto__":{"admin":true}}')],
  ['a single line of 2 MB', 'a.txt', 'text/plain', () => Buffer.alloc(2_000_000, 'a')],
  [
    'an RTF that fetches',
    'a.rtf',
    'text/rtf',
    text('{\\rtf1{\\field{\\*\\fldinst INCLUDEPICTURE "http://a/"}}}'),
  ],
  [
    'a PDF with a page behind it',
    'a.pdf',
    'text/html',
    () => joined(pdfOf(['a']), '<script>alert(1)</script>'),
  ],
  [
    'a PDF that is a bomb',
    'a.pdf',
    null,
    () => pdfWith([{ content: zlibBomb(2_048), filter: '/FlateDecode' }]),
  ],
  [
    'a PDF that is a bomb in a bomb',
    'a.pdf',
    null,
    () => pdfWith([{ content: deflateSync(zlibBomb(4_096)), filter: '/FlateDecode /FlateDecode' }]),
  ],
  ['a PDF that is its beginning', 'a.pdf', null, text('%PDF-1.7\n')],
  ['a DOCX that is a bomb', 'a.docx', null, () => docxWith(`<w>${' '.repeat(32 * 1024 * 1024)}</w>`)],
  ['a DOCX with entities that multiply', 'a.docx', null, () => docxWith(laughs('w:document'))],
  ['a DOCX nested without end', 'a.docx', null, () => docxWith('<w>'.repeat(200_000))],
  ['a DOCX that is cut off', 'a.docx', null, () => sample('docx').subarray(0, 300)],
  ['a ZIP that is a bomb', 'a.zip', 'application/zip', () => zipArchive([{ name: 'bomb', ...bomb() }])],
  [
    'a ZIP with sixteen bombs',
    'a.zip',
    null,
    () => zipArchive(Array.from({ length: 16 }, (_, index) => ({ name: `${index}.bin`, ...bomb() }))),
  ],
  [
    'a ZIP that lies about its sizes',
    'a.zip',
    null,
    () => zipArchive([{ name: 'a', content: deflateBomb(1), deflatedTo: 1 }]),
  ],
  [
    'a ZIP whose paths lead out of it',
    'a.zip',
    null,
    () => zipArchive([{ name: '../../../etc/cron.d/a', content: 'a' }]),
  ],
  ['a ZIP with absolute paths', 'a.zip', null, () => zipArchive([{ name: '/etc/passwd', content: 'a' }])],
  ['a ZIP with a program', 'a.zip', null, () => zipArchive([{ name: 'a.exe', content: 'MZ' }])],
  [
    'a ZIP that says it is encrypted',
    'a.zip',
    null,
    () => zipArchive([{ name: 'a', content: 'a', encrypted: true }]),
  ],
  ['a ZIP with two entries of one name', 'a.zip', null, () => zipArchive([entry('a', '1'), entry('a', '2')])],
  ['a ZIP that is its beginning', 'a.zip', null, text('PK\x03\x04')],
  [
    'a ZIP with a page behind it',
    'a.zip',
    'text/html',
    () => joined(sample('zip'), '<script>alert(1)</script>'),
  ],
  ['a gzip that is a bomb', 'a.gz', 'application/gzip', () => gzipSync(Buffer.alloc(32 * 1024 * 1024))],
  ['a tar whose paths lead out of it', 'a.tar', null, () => tarOf('../../../etc/cron.d/a', 'a')],
  [
    'an MP3 whose tag says it is larger than all',
    'a.mp3',
    null,
    () => Buffer.from('4944330400007f7f7f7ffffb9064', 'hex'),
  ],
];

export const CARRIED: HostileFile[] = CARRIERS.map(([what, name, declaredType, bytes]) => ({
  what,
  name,
  servedName: name,
  declaredType,
  bytes,
  expect: 'served-as-attachment',
  stage: 'finalize',
  ...(OVER_SCANNER_LIMITS.has(what) ? { overScannerLimits: true } : {}),
}));

/** Entities of ten of the one before, nine times ("billion laughs"). */
function laughs(root: string): string {
  const entities = Array.from(
    { length: 9 },
    (_, index) => `<!ENTITY l${index + 1} "${`&l${index};`.repeat(10)}">`,
  );
  return `<!DOCTYPE a [<!ENTITY l0 "ha">${entities.join('')}]><${root}>&l9;</${root}>`;
}

function entry(name: string, content: string) {
  return { name, content };
}

function joined(first: Uint8Array, second: string): Uint8Array {
  return Buffer.concat([first, Buffer.from(second)]);
}

function sample(ending: string): Uint8Array {
  const make = SAMPLE_FILES[ending];
  if (make === undefined) throw new Error(`no sample of ${ending}`);
  return make();
}
