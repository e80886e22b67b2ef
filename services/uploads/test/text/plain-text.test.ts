import { describe, expect, it } from 'vitest';
import { plainText } from '../../src/text/plain-text.ts';

async function* inParts(bytes: Uint8Array, partBytes: number) {
  for (let at = 0; at < bytes.length; at += partBytes) yield bytes.subarray(at, at + partBytes);
}

describe('plainText', () => {
  it.each([
    ['UTF-8', Buffer.from('Grüße 😀')],
    ['UTF-8 with its mark', Buffer.from('\ufeffGrüße 😀')],
    ['UTF-16, little end first', Buffer.from('\ufeffGrüße 😀', 'utf16le')],
    ['UTF-16, big end first', Buffer.from('\ufeffGrüße 😀', 'utf16le').swap16()],
  ])('decodes %s, however it is cut in parts', async (_, bytes) => {
    for (const partBytes of [1, 2, 3, 100])
      expect(await plainText(inParts(bytes, partBytes), 1_000)).toBe('Grüße 😀');
  });

  it('takes what is no UTF-8 for Latin', async () => {
    expect(await plainText(inParts(Buffer.from('Gr\xfc\xdfe \x80', 'latin1'), 2), 100)).toBe('Grüße €');
    // The end of the file is missing: no UTF-8 either.
    expect(await plainText(inParts(Buffer.from('ü').subarray(0, 1), 2), 100)).toBe('Ã');
  });

  it('keeps as many characters as asked for, and reads no more than it needs', async () => {
    let read = 0;
    async function* endless() {
      for (;;) {
        read += 1_000;
        yield Buffer.alloc(1_000, 'é');
      }
    }
    expect(await plainText(endless(), 5_000)).toBe('é'.repeat(5_000));
    expect(read).toBeLessThanOrEqual(16_000);
  });

  it('takes UTF-8 that is cut inside a character by its limit for UTF-8', async () => {
    expect(await plainText(inParts(Buffer.from('a€€€€'), 100), 2)).toBe('a€');
  });

  it('finds nothing in an empty file', async () => {
    expect(await plainText(inParts(Buffer.alloc(0), 1), 10)).toBe('');
  });
});
