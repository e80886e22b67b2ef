/** Writes files of office programs for tests: OOXML, OpenDocument, and the old compound files. */
import { zipArchive } from './zip-archive.ts';

const OOXML = 'application/vnd.openxmlformats-officedocument';
const ODF = 'application/vnd.oasis.opendocument';

export const SPREADSHEET = `${OOXML}.spreadsheetml.sheet`;
export const PRESENTATION = `${OOXML}.presentationml.presentation`;

/** A DOCX with one paragraph for each text. */
export function docxOf(paragraphs: string[]): Uint8Array {
  const body = paragraphs.map((paragraph) => `<w:p><w:r><w:t>${escapeXml(paragraph)}</w:t></w:r></w:p>`);
  return docxWith(`<w:document xmlns:w="${WORD_NAMESPACE}"><w:body>${body.join('')}</w:body></w:document>`);
}

export const WORD_NAMESPACE = 'http://schemas.openxmlformats.org/wordprocessingml/2006/main';

/** A DOCX with this `word/document.xml`. */
export function docxWith(document: string): Uint8Array {
  return ooxmlOf(`${OOXML}.wordprocessingml.document`, 'word/document.xml', document);
}

/** The header and directory of a compound file ([MS-CFB]) with one stream of this name. */
export function oleOf(stream: string): Uint8Array {
  const file = Buffer.alloc(512 * 4);
  file.set(Buffer.from('d0cf11e0a1b11ae1', 'hex'));
  file.writeUInt16LE(0x3e, 24);
  file.writeUInt16LE(3, 26);
  file.writeUInt16LE(0xfffe, 28);
  file.writeUInt16LE(9, 30);
  file.writeUInt16LE(6, 32);
  const entry = (at: number, name: string, type: number) => {
    file.write(name, at, 'utf16le');
    file.writeUInt16LE((name.length + 1) * 2, at + 64);
    file[at + 66] = type;
  };
  entry(1024, 'Root Entry', 5);
  entry(1024 + 128, stream, 2);
  return file;
}

/** An OOXML package of this type with one part. */
export function ooxmlOf(type: string, part: string, content: string): Uint8Array {
  return zipArchive([
    {
      name: '[Content_Types].xml',
      content:
        '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">' +
        `<Override PartName="/${part}" ContentType="${type}.main+xml"/></Types>`,
    },
    { name: part, content },
  ]);
}

/** An OpenDocument file; `what` is text, spreadsheet or presentation. */
export function odfOf(what: string): Uint8Array {
  return zipArchive([
    { name: 'mimetype', content: `${ODF}.${what}`, stored: true },
    { name: 'content.xml', content: '<office:document-content/>' },
  ]);
}

function escapeXml(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
