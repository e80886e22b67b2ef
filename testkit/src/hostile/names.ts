/** Names that lead elsewhere, look like others, or break what prints them. */
import { type HostileFile, text } from './hostile-file.ts';

const NO_NAMES: [string, string][] = [
  ['no name', ''],
  ['the folder itself', '.'],
  ['the folder above', '..'],
  ['a path without a name', '../../'],
  ['the root', '/'],
  ['a Windows path without a name', 'C:\\temp\\'],
  ['a drive', 'C:'],
  ['a share', '\\\\server\\share\\'],
  ['blanks', '   '],
  ['dots', '.....'],
  ['dots and blanks', ' . . '],
  ['a NUL', '\0'],
  ['a line break', '\r\n'],
  ['a mark of direction', '\u202e'],
  ['a byte order mark', '\ufeff'],
  ['what nobody sees', '\u200b\u2060\u00ad'],
  ['half a character', '\ud800'],
  ['line separators', '\u2028\u2029'],
  ['5,000 characters', `${'a'.repeat(4_996)}.txt`],
];

const NOT_ALLOWED: [string, string][] = [
  ['a path to the passwords', '../../../../etc/passwd'],
  ['the same with doubled dots', '....//....//etc/passwd'],
  ['an absolute path', '/etc/shadow'],
  ['a Windows path', '..\\..\\windows\\system32\\cmd.exe'],
  ['a file beside the page', '../index.htm'],
  ['settings of a web server', '.htaccess'],
  ['settings of an application', '.env'],
  ['an alternate data stream', 'a.txt::$DATA'],
  ['another stream', 'a.txt:evil.exe'],
  ['an ending behind an invisible joiner', 'a.txt\u200d'],
  ['an ending that reads the wrong way round', 'annual\u202etxt.exe'],
  ['an ending hidden by blanks', `invoice.pdf${' '.repeat(100)}.exe`],
  ['an ending hidden by a line break', 'invoice.pdf\n.exe'],
  ['an ending behind dots', 'a.exe. . .'],
  ['a NUL before a harmless ending', 'shell.php\0.jpg'],
  ['a written NUL before a harmless ending', 'shell.php%00.jpg'],
  ['no ending', 'README'],
  ['an ending of nothing', 'README.'],
];

const HIDDEN_ENDINGS =
  `pdf.exe php.jpg php5.png phtml.gif asp.txt aspx.txt jsp.txt exe.txt EXE.pdf scr.jpg bat.csv
  cmd.md vbs.txt js.jse ps1.txt sh.txt hta.html jar.zip msi.zip dll.gz lnk.zip phar.gz cgi.txt shtml.html
  docm.docx`.split(/\s+/);

const UNKNOWN_ENDINGS =
  `exe com bat cmd scr pif msi dll cpl hta vbs wsf ps1 sh php phtml jsp asp aspx cgi jar apk
  dmg iso lnk url chm reg docm xlsm pptm htm xhtml shtml mht svgz swf wasm so elf vhd torrent`.split(/\s+/);

/** Names as they are sent, and as they must be when they are stored. */
const MADE_SAFE: [string, string, string][] = [
  ['a path upwards', '../../../../tmp/note.txt', 'note.txt'],
  ['a Windows path upwards', '..\\..\\note.txt', 'note.txt'],
  ['both kinds of slashes', '..\\../..\\note.txt', 'note.txt'],
  ['an absolute path', '/etc/cron.d/note.txt', 'note.txt'],
  ['a drive', 'C:note.txt', 'note.txt'],
  ['a written slash', '..%2f..%2fnote.txt', '%2f..%2fnote.txt'],
  ['a NUL', 'no\0te.txt', 'note.txt'],
  ['a line of a header', 'note\r\nSet-Cookie: a=b.txt', 'noteSet-Cookie_ a=b.txt'],
  ['a second parameter of a header', 'note.txt"; filename="b.txt', 'note.txt_; filename=_b.txt'],
  ['colours of a terminal', '\x1b[31mnote.txt', '[31mnote.txt'],
  ['a mark of direction', 'note\u202etxt.txt', 'notetxt.txt'],
  ['isolated directions', '\u2066note\u2069.txt', 'note.txt'],
  ['invisible letters', 'no\u200bte\ufeff.txt', 'note.txt'],
  ['half a character', 'note\udc00.txt', 'note.txt'],
  ['a letter in two pieces', 'cafe\u0301.txt', 'caf\u00e9.txt'],
  ['a leading dot', '.note.txt', 'note.txt'],
  ['dots at both ends', '..note.txt..', 'note.txt'],
  ['a device', 'CON.txt', '_CON.txt'],
  ['a device with two endings', 'nul.a.txt', '_nul.a.txt'],
  ['a port', 'com1.md', '_com1.md'],
  ['a port with a raised number', 'LPT\u00b9.csv', '_LPT\u00b9.csv'],
  ['an element', '<img src=x onerror=alert(1)>.txt', '_img src=x onerror=alert(1)_.txt'],
  ['a query', "'; DROP TABLE files; --.txt", "'; DROP TABLE files; --.txt"],
  ['a command', '$(reboot).txt', '$(reboot).txt'],
  ['an option', '--force.txt', '--force.txt'],
  ['wildcards of the bus', '*.>.txt', '_._.txt'],
  ['a key that every object has', '__proto__.txt', '__proto__.txt'],
  ['a format', '%s%n%x.txt', '%s%n%x.txt'],
  ['a template', '{{7*7}}.txt', '{{7_7}}.txt'],
  ['300 letters', `${'n'.repeat(300)}.txt`, `${'n'.repeat(251)}.txt`],
  ['200 letters of four bytes each', `${'\u{1f600}'.repeat(200)}.txt`, `${'\u{1f600}'.repeat(62)}.txt`],
];

export const NAMES: HostileFile[] = [
  ...NO_NAMES.map(([what, name]) => refused(`no name: ${what}`, name, 'FILE_NAME_INVALID')),
  ...NOT_ALLOWED.map(([what, name]) => refused(`a name: ${what}`, name, 'FILE_TYPE_NOT_ALLOWED')),
  ...HIDDEN_ENDINGS.map((endings) =>
    refused(`two endings: ${endings}`, `invoice.${endings}`, 'FILE_TYPE_NOT_ALLOWED'),
  ),
  ...UNKNOWN_ENDINGS.map((ending) =>
    refused(`an ending on no list: ${ending}`, `a.${ending}`, 'FILE_TYPE_NOT_ALLOWED'),
  ),
  ...MADE_SAFE.map(
    ([what, name, servedName]): HostileFile => ({
      what: `a name that is made safe: ${what}`,
      name,
      servedName,
      declaredType: 'text/plain',
      bytes: text('A note.\n'),
      expect: 'served-as-attachment',
      stage: 'finalize',
    }),
  ),
];

function refused(what: string, name: string, expect: HostileFile['expect']): HostileFile {
  // What it says to be is never what it is judged by.
  return { what, name, declaredType: 'text/plain', bytes: text('A note.\n'), expect, stage: 'init' };
}
