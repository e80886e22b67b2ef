/** Cuts a knowledge file into passages: by headings, then by size. */
import type { Passage } from './passage.ts';

/** Characters; about 200 tokens, so that six passages take little of a prompt. */
const TARGET_CHARS = 800;
/** What a passage repeats of the one before it, where a section had to be split. */
const OVERLAP_CHARS = 120;

interface Section {
  headings: string[];
  lines: string[];
}

/** The passages of a file, in order; none for an empty one. */
export function splitDocument(source: string, text: string): Passage[] {
  const fileName = source.slice(source.lastIndexOf('/') + 1);
  const isMarkdown = /\.(md|markdown)$/i.test(fileName);
  const untitled = fileName.replace(/\.\w+$/, '');
  const sections = isMarkdown ? markdownSections(text) : [{ headings: [], lines: text.split(/\r?\n/) }];
  const passages: Passage[] = [];
  for (const section of sections) {
    const title = (section.headings.join(' / ') || untitled).slice(0, 200);
    for (const piece of splitBySize(section.lines.join('\n').trim()))
      passages.push({ source, title, text: piece });
  }
  return passages;
}

/** Sections below ATX headings (CommonMark 4.2); a `#` inside a code fence is none. */
function markdownSections(text: string): Section[] {
  const path: string[] = [];
  let current: Section = { headings: [], lines: [] };
  const sections = [current];
  let fence: string | null = null;
  for (const line of text.split(/\r?\n/)) {
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (mark !== undefined) {
      if (fence === null) fence = mark;
      else if (mark.startsWith(fence)) fence = null;
    }
    const heading = fence === null ? /^ {0,3}(#{1,6})[ \t]+(.+?)(?:[ \t]+#+)?[ \t]*$/.exec(line) : null;
    if (heading?.[1] === undefined) {
      current.lines.push(line);
      continue;
    }
    path.length = Math.min(path.length, heading[1].length - 1);
    path.push(heading[2] ?? '');
    current = { headings: [...path], lines: [] };
    sections.push(current);
  }
  return sections;
}

/** Pieces of about TARGET_CHARS; each but the first repeats the end of the one before. */
function splitBySize(text: string): string[] {
  if (text === '') return [];
  if (text.length <= TARGET_CHARS) return [text];
  const pieces: string[] = [];
  let piece = '';
  for (const part of parts(text)) {
    if (piece !== '' && piece.length + part.length > TARGET_CHARS) {
      pieces.push(piece.trim());
      piece = ending(piece);
    }
    piece += part;
  }
  pieces.push(piece.trim());
  return pieces.filter((each) => each !== '');
}

/** Lines, sentences where a line is too long, and cuts where a sentence is. */
function parts(text: string): string[] {
  return (text.match(/[^\n]*\n|[^\n]+$/g) ?? []).flatMap((line) =>
    line.length <= TARGET_CHARS ? [line] : (line.match(/.{1,600}?(?:[.!?]["')]?\s+|$)|.{1,600}/gs) ?? [line]),
  );
}

/** The last whole sentences or lines that fit into the overlap. */
function ending(piece: string): string {
  const tail = piece.slice(-OVERLAP_CHARS);
  if (tail.length === piece.length) return '';
  const start = /[.!?]\s+|\n/.exec(tail);
  return start === null ? '' : tail.slice(start.index + start[0].length);
}
