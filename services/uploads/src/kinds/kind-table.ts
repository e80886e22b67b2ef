/** The kinds of file that may be uploaded: by ending, what the content must be, how it is served. */

/** How a content is judged. */
export type Content =
  /** Content types by magic bytes, one of which it must have. */
  | { by: 'magic'; types: readonly string[] }
  /** Any ZIP archive, whatever is in it: it is never unpacked. */
  | { by: 'zip' }
  /** OOXML: a ZIP archive of this type, or with a content list and files in this folder. */
  | { by: 'ooxml'; types: readonly string[]; folder: string }
  /** A compound file (MS-CFB) with a stream of one of these names. */
  | { by: 'ole'; streams: readonly string[] }
  /** Text to its last byte; `start` must match the first 64 KiB. */
  | { by: 'text'; start?: RegExp };

export interface FileKind {
  /** Content type it is served with. */
  type: string;
  /** Whether a browser may show it in place. */
  inline: boolean;
  content: Content;
}

const OOXML = 'application/vnd.openxmlformats-officedocument';
const ODF = 'application/vnd.oasis.opendocument';

/** Never text/html or image/svg+xml: both carry scripts that would run as this origin's. */
const PLAIN: FileKind = { type: 'text/plain', inline: false, content: { by: 'text' } };
/** A comment or a declaration may stand before the first element. */
const XML_START = /^\s*</;
const SVG_START = /^\s*<(?:[\s\S]*<)?(?:\w{1,16}:)?svg[\s>/]/;

/** seeds/004 (Supported File Types); whatever isn't here is refused. */
export const KINDS: ReadonlyMap<string, FileKind> = new Map<string, FileKind>([
  ['jpg', image('image/jpeg')],
  ['jpeg', image('image/jpeg')],
  ['png', image('image/png')],
  ['gif', image('image/gif')],
  ['bmp', image('image/bmp')],
  ['webp', image('image/webp')],
  ['svg', plain(SVG_START)],

  ['pdf', magic('application/pdf')],
  ['doc', ole('application/msword', 'WordDocument')],
  ['docx', ooxml(`${OOXML}.wordprocessingml.document`, 'word/')],
  ['txt', PLAIN],
  ['rtf', { ...plain(/^\{\\rtf/), type: 'application/rtf' }],
  ['odt', magic(`${ODF}.text`)],

  ['xls', ole('application/vnd.ms-excel', 'Workbook', 'Book')],
  ['xlsx', ooxml(`${OOXML}.spreadsheetml.sheet`, 'xl/')],
  ['csv', { ...PLAIN, type: 'text/csv' }],
  ['ods', magic(`${ODF}.spreadsheet`)],

  ['ppt', ole('application/vnd.ms-powerpoint', 'PowerPoint Document')],
  ['pptx', ooxml(`${OOXML}.presentationml.presentation`, 'ppt/')],
  ['odp', magic(`${ODF}.presentation`)],

  ['zip', { type: 'application/zip', inline: false, content: { by: 'zip' } }],
  ['rar', magic('application/vnd.rar', 'application/x-rar-compressed')],
  ['7z', magic('application/x-7z-compressed')],
  ['tar', magic('application/x-tar')],
  ['gz', magic('application/gzip')],

  ['py', PLAIN],
  ['js', PLAIN],
  ['html', PLAIN],
  ['css', PLAIN],
  // Not required to parse: a broken file is what one asks about.
  ['json', { ...PLAIN, type: 'application/json' }],
  ['xml', plain(XML_START)],
  ['md', { ...PLAIN, type: 'text/markdown' }],

  ['mp3', magic('audio/mpeg')],
  ['wav', magic('audio/wav')],
  ['ogg', magic('audio/ogg', 'audio/ogg; codecs=opus', 'application/ogg')],
  // Encoders other than Apple's write the brands of MP4 into it.
  ['m4a', magic('audio/mp4', 'audio/x-m4a', 'video/mp4')],
  ['flac', magic('audio/flac')],

  // Telephones call 3GPP files .mp4.
  ['mp4', magic('video/mp4', 'video/x-m4v', 'video/3gpp')],
  ['avi', magic('video/x-msvideo', 'video/vnd.avi')],
  ['mov', magic('video/quicktime')],
  ['wmv', magic('video/x-ms-wmv', 'video/x-ms-asf', 'application/vnd.ms-asf')],
  ['webm', magic('video/webm')],
]);

/** The ending of a name, in lower case and without its dot; empty where it has none. */
export function endingOf(name: string): string {
  const dot = name.lastIndexOf('.');
  return dot < 0 ? '' : name.slice(dot + 1).toLowerCase();
}

function image(type: string): FileKind {
  // An animated PNG is shown as one by the type of PNG.
  const types = type === 'image/png' ? [type, 'image/apng'] : [type];
  return { type, inline: true, content: { by: 'magic', types } };
}

/** Served as `type`; the content may also have one of the others. */
function magic(type: string, ...others: string[]): FileKind {
  return { type, inline: false, content: { by: 'magic', types: [type, ...others] } };
}

function ooxml(type: string, folder: string): FileKind {
  return { type, inline: false, content: { by: 'ooxml', types: [type], folder } };
}

function ole(type: string, ...streams: string[]): FileKind {
  return { type, inline: false, content: { by: 'ole', streams } };
}

function plain(start: RegExp): FileKind {
  return { ...PLAIN, content: { by: 'text', start } };
}
