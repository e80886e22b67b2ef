/** One small file of every kind that may be uploaded, made as its format has it. */
import { gzipSync } from 'node:zlib';
import { docxOf, odfOf, oleOf, ooxmlOf, PRESENTATION, SPREADSHEET } from './office-files.ts';
import { pdfOf } from './pdf-file.ts';
import { zipArchive } from './zip-archive.ts';

/** By ending; the text in those that have one says `Hello from a <ending>`. */
export const SAMPLE_FILES: Readonly<Record<string, () => Uint8Array>> = {
  jpg: () => hex('ffd8ffe000104a46494600010100000100010000ffd9'),
  jpeg: () => hex('ffd8ffe1001845786966000049492a0008000000000000000000ffd9'),
  png: () =>
    hex(
      '89504e470d0a1a0a0000000d4948445200000001000000010806000000',
      '1f15c4890000000d49444154789c63000100000500010d0a2db40000000049454e44ae426082',
    ),
  gif: () => hex('47494638396101000100800000000000ffffff2c00000000010001000002024401003b'),
  bmp: () =>
    hex(
      '424d3a0000000000000036000000280000000100000001000000010018000000000004000000',
      '00000000000000000000000000000000ffffff00',
    ),
  webp: () => hex('524946461a000000574542505650384c0d0000002f00000010071011118888fe0700'),
  svg: () =>
    text('<?xml version="1.0"?>\n<!-- a dot -->\n<svg xmlns="http://www.w3.org/2000/svg"><g/></svg>\n'),

  pdf: () => pdfOf(['Hello from a pdf']),
  doc: () => oleOf('WordDocument'),
  docx: () => docxOf(['Hello from a docx']),
  txt: () => text('Hello from a txt\n'),
  rtf: () => text('{\\rtf1\\ansi Hello from a rtf\\par}'),
  odt: () => odfOf('text'),

  xls: () => oleOf('Workbook'),
  xlsx: () => ooxmlOf(SPREADSHEET, 'xl/workbook.xml', '<workbook/>'),
  csv: () => text('name,greeting\ncsv,Hello from a csv\n'),
  ods: () => odfOf('spreadsheet'),

  ppt: () => oleOf('PowerPoint Document'),
  pptx: () => ooxmlOf(PRESENTATION, 'ppt/presentation.xml', '<p/>'),
  odp: () => odfOf('presentation'),

  zip: () => zipArchive([{ name: 'hello.txt', content: 'Hello from a zip\n' }]),
  rar: () => hex('526172211a0701003392b5e50a01050600050101808000'),
  '7z': () => hex('377abcaf271c00048d9bd50f0000000000000000000000000000000000000000'),
  tar: () => tarOf('hello.txt', 'Hello from a tar\n'),
  gz: () => gzipSync('Hello from a gz\n'),

  py: () => text('#!/usr/bin/env python3\nprint("Hello from a py")\n'),
  js: () => text('console.log("Hello from a js");\n'),
  html: () => text('<!doctype html><title>Hello from a html</title>\n'),
  css: () => text('body::after { content: "Hello from a css"; }\n'),
  json: () => text('{"greeting": "Hello from a json"}\n'),
  xml: () => text('<?xml version="1.0"?><greeting>Hello from a xml</greeting>\n'),
  md: () => text('# Hello from a md\n'),

  mp3: () => Buffer.concat([hex('49443304000000000000fffb9064'), Buffer.alloc(413)]),
  wav: () =>
    hex('524946462400000057415645666d742010000000010001', '44ac000088580100020010006461746100000000'),
  ogg: () =>
    Buffer.concat([
      hex('4f67675300020000000000000000010000000000000000000000011e'),
      hex('01766f72626973000000000144ac000000000000809301000000000000b801'),
    ]),
  m4a: () => box('ftyp', 'M4A \0\0\0\0M4A mp42isom'),
  flac: () => Buffer.concat([text('fLaC'), hex('80000022'), Buffer.alloc(34)]),

  mp4: () => Buffer.concat([box('ftyp', 'isom\0\0\x02\0isomiso2avc1mp41'), box('mdat', '')]),
  avi: () =>
    Buffer.concat([text('RIFF'), hex('24000000'), text('AVI LIST'), hex('18000000'), text('hdrlavih')]),
  mov: () => Buffer.concat([box('ftyp', 'qt  \0\0\x02\0qt  '), box('moov', '')]),
  wmv: () =>
    hex(
      '3026b2758e66cf11a6d900aa0062ce6c66000000000000000100000001029107dcb7b7a9cf118ee600c00c2053654800000000000000',
      'c0ef19bc4d5bcf11a8fd00805f5c442b0000000000000000000000000000000000000000000000000000000000000000',
    ),
  webm: () => hex('1a45dfa39f4286810142f7810142f2810442f381084282847765626d42878104428581021853806700'),
};

/** A tar with this one file. */
export function tarOf(name: string, content: string): Uint8Array {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write('0000644\0', 100);
  header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write('        0', 148);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  const padded = Buffer.alloc(Math.ceil(content.length / 512) * 512);
  padded.write(content);
  return Buffer.concat([header, padded, Buffer.alloc(1024)]);
}

function box(type: string, content: string): Uint8Array {
  const bytes = Buffer.from(`\0\0\0\0${type}${content}`, 'latin1');
  bytes.writeUInt32BE(bytes.length);
  return bytes;
}

function text(value: string): Uint8Array {
  return Buffer.from(value);
}

function hex(...digits: string[]): Uint8Array {
  return Buffer.from(digits.join(''), 'hex');
}
