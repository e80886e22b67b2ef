import { describe, expect, it } from 'vitest';
import { allowedName } from '../../src/kinds/allowed-name.ts';
import { KINDS } from '../../src/kinds/kind-table.ts';

describe('allowedName', () => {
  it.each([...KINDS.keys()])('[files/types] allows a name that ends with .%s, in any case', (ending) => {
    expect(allowedName(`a.${ending}`)).toBe(true);
    expect(allowedName(`A.${ending.toUpperCase()}`)).toBe(true);
  });

  it.each([
    'archive.tar.gz',
    'v1.2.pdf',
    'jquery.min.js',
    'invoice-example.com.pdf',
    'Dr. Who.txt',
    'exe.txt',
    'the exe file.txt',
    '2024.01.31.csv',
  ])('allows %j', (name) => {
    expect(allowedName(name)).toBe(true);
  });

  it.each([
    'a.exe',
    'noending',
    'a.',
    'passwd',
    'a.docm',
    'a.jsx',
    'a.txt\u200d',
    'invoice.pdf.exe',
    'x.php.jpg',
    'a.exe.txt',
    'a.EXE.txt',
    'a.exe .txt',
    'a.exe .b.txt',
    'a.php%00.jpg',
    'a.exe_.txt',
    'a.ｅｘｅ.txt',
    'a．exe.txt',
    'a\u2024exe.txt',
    'a.e\u200dxe.txt',
    'a.exe.pdf.txt',
    'a.phtml.png',
    'a.ps1.md',
  ])('[files/type-by-name] refuses %j', (name) => {
    expect(allowedName(name)).toBe(false);
  });
});
