/** The process that reads one PDF or DOCX from its input and writes the text to its output. */
import { setPriority } from 'node:os';
import { buffer } from 'node:stream/consumers';
import { docxText } from './docx-text.ts';
import { pdfText } from './pdf-text.ts';

/** Nobody waits for a text, and the same machine serves people who chat. */
const NICENESS = 10;

setPriority(NICENESS);
const [kind, most] = process.argv.slice(2);
let left = Number(most);
const pieces: string[] = [];
try {
  const bytes = await buffer(process.stdin);
  const read = kind === 'pdf' ? pdfText : docxText;
  await read(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength), (text) => {
    pieces.push(text.slice(0, left));
    left -= text.length;
    return left > 0;
  });
  // The cut may have left half of a character, of which UTF-8 would make another one.
  process.stdout.write(pieces.join('').replace(/[\ud800-\udbff]$/, ''));
} catch (error) {
  process.stderr.write(error instanceof Error ? error.message : 'no error');
  process.exitCode = 1;
}
