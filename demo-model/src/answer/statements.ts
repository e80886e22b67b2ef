/** Splits passages into statements: sentences, list items and table rows. */
import type { Passage } from './passages.ts';

export interface Statement {
  /** What is quoted, without Markdown marks. */
  text: string;
  /** Title and headings above it. */
  context: string;
  /** Which passage, from 0. */
  passage: number;
}

const LIST_ITEM = /^\s*(?:[-*+]|\d{1,3}[.)])\s+/;
const HEADING = /^\s{0,3}#{1,6}\s+/;
const TABLE_RULE = /^[\s:|-]*$/;
/** A full stop after these ends no sentence; nor after an initial. */
const ABBREVIATION = /(?:^|[\s(])(?:e\.g|i\.e|approx|ca|max|min|no|vs|fig|dr|mr|mrs|st)\.$/i;
const INITIAL = /(?:^|[\s(])\p{Lu}\.$/u;

/** More than a prompt of ordinary size holds. */
const MAX_STATEMENTS = 4_000;
/** Characters of a title or heading that are read. */
const MAX_HEADING = 200;

export function splitStatements(passages: Passage[]): Statement[] {
  const statements: Statement[] = [];
  for (const [at, passage] of passages.entries()) {
    const title = passage.title.slice(0, MAX_HEADING);
    let context = title;
    for (const block of blocks(passage.text)) {
      if (block.kind === 'heading') context = `${title} ${block.text.slice(0, MAX_HEADING)}`;
      else for (const text of block.statements) statements.push({ text, context, passage: at });
      if (statements.length >= MAX_STATEMENTS) return statements.slice(0, MAX_STATEMENTS);
    }
  }
  return statements;
}

type Block = { kind: 'heading'; text: string } | { kind: 'statements'; statements: string[] };

function blocks(text: string): Block[] {
  const found: Block[] = [];
  let open: string[] = [];
  let table: string[][] = [];
  const flush = () => {
    if (open.length > 0) found.push({ kind: 'statements', statements: sentences(plain(open.join(' '))) });
    if (table.length > 0) found.push({ kind: 'statements', statements: tableRows(table) });
    open = [];
    table = [];
  };
  for (const line of text.split('\n')) {
    if (line.trim() === '') flush();
    else if (HEADING.test(line)) {
      flush();
      found.push({ kind: 'heading', text: plain(line.replace(HEADING, '')) });
    } else if (line.trimStart().startsWith('|')) {
      if (open.length > 0) flush();
      table.push(TABLE_RULE.test(line) && line.includes('-') ? [] : cells(line));
    } else {
      if (table.length > 0 || LIST_ITEM.test(line)) flush();
      open.push(line.replace(LIST_ITEM, '').trim());
    }
  }
  flush();
  return found;
}

function cells(line: string): string[] {
  return line
    .trim()
    .replace(/^\||\|$/g, '')
    .split('|')
    .map((cell) => plain(cell).trim());
}

/** Rows as "Name: value", or "Name: column value; column value" where there are more columns. */
function tableRows(rows: string[][]): string[] {
  // An empty row stands for the rule under the header.
  const header = rows[1]?.length === 0 ? (rows[0] ?? []) : [];
  return rows
    .slice(header.length > 0 ? 2 : 0)
    .filter((row) => row.length > 0)
    .map(([name = '', ...values]) => {
      if (values.length < 2) return values[0] ? `${name}: ${values[0]}` : name;
      const parts = values.map((value, at) => `${header[at + 1] ? `${header[at + 1]} ` : ''}${value}`);
      return `${name}: ${parts.join('; ')}`;
    });
}

function sentences(text: string): string[] {
  const found: string[] = [];
  let open: string[] = [];
  for (const part of text.split(/(?<=[.!?])\s+(?=[\p{Lu}\p{N}"'(])/u)) {
    open.push(part);
    const end = part.slice(-12);
    if (ABBREVIATION.test(end) || INITIAL.test(end)) continue;
    found.push(open.join(' '));
    open = [];
  }
  if (open.length > 0) found.push(open.join(' '));
  return found;
}

/** Without emphasis, code marks and link targets. */
function plain(text: string): string {
  return text
    .replace(/\*\*|__|`/g, '')
    .replace(/\[([^\][]{1,200})\]\([^()\s]{1,500}\)/g, '$1')
    .replace(/\s+/g, ' ')
    .trim();
}
