import { describe, expect, it } from 'vitest';
import { safeFileName } from '../../src/kinds/safe-file-name.ts';

describe('safeFileName', () => {
  it.each([
    ['report.pdf', 'report.pdf'],
    ['../../etc/passwd', 'passwd'],
    ['..\\..\\windows\\system.ini', 'system.ini'],
    ['/var/www/index.html', 'index.html'],
    ['C:evil.txt', 'evil.txt'],
    ['C:\\temp\\a.txt', 'a.txt'],
    ['a.txt::$DATA', 'a.txt__$DATA'],
    ['what?<is>"it*|.md', 'what__is__it__.md'],
    ['shell.php\0.jpg', 'shell.php.jpg'],
    ['line\r\nX-Header: 1.txt', 'lineX-Header_ 1.txt'],
    ['invoice\u202egpj.exe', 'invoicegpj.exe'],
    ['zero\u200bwidth\ufeff.txt', 'zerowidth.txt'],
    ['two\u2028lines.txt', 'twolines.txt'],
    ['half\ud800.txt', 'half.txt'],
    ['.htaccess', 'htaccess'],
    ['... .env', 'env'],
    ['trailing.txt. . ', 'trailing.txt'],
    ['CON.txt', '_CON.txt'],
    ['nul', '_nul'],
    ['com1 .txt', '_com1 .txt'],
    ['LPT².md', '_LPT².md'],
    ['console.txt', 'console.txt'],
    ['cafe\u0301.txt', 'café.txt'],
    ['خانه\u200cها.pdf', 'خانه\u200cها.pdf'],
    ['👩\u200d💻.md', '👩\u200d💻.md'],
  ])('[files/safe-names] makes of %j the name %j', (raw, safe) => {
    expect(safeFileName(raw)).toBe(safe);
  });

  it.each(['', '.', '..', '../', 'folder/', '   ', '\0\0', '\u202e\u202c', 'C:', '../..\\'])(
    'finds no name in %j',
    (raw) => {
      expect(safeFileName(raw)).toBeNull();
    },
  );

  it('cuts a long name to 255 bytes and keeps its ending', () => {
    const safe = safeFileName(`${'a'.repeat(1_000)}.docx`) ?? '';
    expect(safe).toBe(`${'a'.repeat(250)}.docx`);
  });

  it('cuts between characters, never inside one', () => {
    const safe = safeFileName(`${'😀'.repeat(200)}.txt`) ?? '';
    expect(safe).toBe(`${'😀'.repeat(62)}.txt`);
  });

  it('does not keep an ending that is no ending', () => {
    const safe = safeFileName(`a.${'b'.repeat(1_000)}`) ?? '';
    expect(safe).toBe(`a.${'b'.repeat(253)}`);
  });

  it('refuses names that nobody gives to a file', () => {
    expect(safeFileName(`${'a'.repeat(5_000)}.txt`)).toBeNull();
  });

  it('leaves what it made as it is, whatever it was made of', () => {
    const pieces = [
      '.',
      ' ',
      '/',
      '\\',
      ':',
      'C:',
      'con',
      'e\u0301',
      '😀',
      '\u202e',
      '\u200b',
      '\ud83d',
      '\0',
      'x',
    ];
    // Every sequence of three pieces, once short and once so long that it is cut.
    for (const first of pieces)
      for (const second of pieces)
        for (const third of pieces)
          for (const filler of ['', 'é '.repeat(100)]) {
            const safe = safeFileName(`${first}${second}${filler}${third}.txt`);
            if (safe === null) continue;
            expect(safeFileName(safe)).toBe(safe);
            expect(Buffer.byteLength(safe)).toBeLessThanOrEqual(255);
            expect(safe).not.toMatch(/[/\\:\p{Cc}\p{Cs}\u202e\u200b]|^\.|[. ]$/u);
          }
  });
});
