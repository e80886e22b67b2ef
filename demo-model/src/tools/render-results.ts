/** Tool results in plain sentences; any JSON. */
import { withDemoLine } from '../answer/demo-line.ts';
import { words } from '../answer/words.ts';
import type { Message } from '../wire/chat-request.ts';

const MAX_ITEMS = 50;
const MAX_DEPTH = 4;
const MAX_CHARS = 20_000;

/** The answer to the tool results at the end of the messages, or null when there are none. */
export function renderResults(messages: Message[]): string | null {
  const from = messages.findLastIndex(({ role }) => role !== 'tool') + 1;
  const results = messages.slice(from);
  if (results.length === 0) return null;
  const tools = toolNames(messages[from - 1]);
  const text = results
    .map((result) =>
      renderResult(result.content, tools.get('tool_call_id' in result ? result.tool_call_id : '')),
    )
    .join('\n');
  return withDemoLine(text.slice(0, MAX_CHARS), 'this answer shows what the tool returned.');
}

/** The tools by the ids of their calls. */
function toolNames(message: Message | undefined): Map<string, string> {
  const calls = message?.role === 'assistant' ? (message.tool_calls ?? []) : [];
  return new Map(calls.map((call) => [call.id, call.function.name]));
}

/** A result in words; `tool` is the name of the tool that returned it. */
export function renderResult(content: string, tool = ''): string {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    // Tools may answer in words.
    return content.trim() === '' ? 'The tool returned nothing.' : content.trim();
  }
  if (Array.isArray(value))
    return tool !== '' && value.every(isNamed) ? things(tool, value) : list('results', value);
  if (!isObject(value)) return value === null ? 'The tool returned nothing.' : sentence(scalar(value));
  const failure = failureOf(value);
  const lines: string[] = failure === null ? [] : [`That did not work: ${sentence(failure)}`];
  const fields = Object.entries(value)
    .filter(([name]) => !(OUTCOME.has(name) || (failure !== null && FAILURE.has(name))))
    .filter(([name]) => !(isNamed(value) && TITLE.has(name)))
    .slice(0, MAX_ITEMS);
  if (isNamed(value)) lines.push(sentence(title(value)));
  const simple = fields.filter(([, field]) => !isObject(field) && !Array.isArray(field));
  if (simple.length > 0) lines.push(sentence(capital(pairs(simple, 1))));
  for (const [name, field] of fields) {
    if (Array.isArray(field)) lines.push(list(humanName(name), field));
    else if (isObject(field)) lines.push(sentence(`${capital(humanName(name))}: ${inline(field, 1)}`));
  }
  if (lines.length > 0) return lines.join('\n');
  return value.ok === true || value.success === true ? 'Done.' : 'The tool returned nothing.';
}

/** Fields that say no more than that it worked, and those that say why it didn't. */
const OUTCOME = new Set(['ok', 'success']);
const FAILURE = new Set(['error', 'message', 'reason', 'code']);

function failureOf(value: Record<string, unknown>): string | null {
  if (typeof value.error === 'string') return value.error;
  if (value.ok !== false && value.success !== false) return null;
  return typeof value.message === 'string' ? value.message : 'the tool did not say why';
}

/** A thing with a name, such as a table: the name is a name for people and stays as it is. */
interface Named extends Record<string, unknown> {
  name: string;
}

/** Fields of a named thing that stand before its others. */
const TITLE = new Set(['name', 'type', 'description']);

function isNamed(value: unknown): value is Named {
  return isObject(value) && typeof value.name === 'string';
}

/** `orders (FACT): One row for each order` */
function title({ name, type, description }: Named): string {
  const kind = typeof type === 'string' ? ` (${type})` : '';
  return `${name}${kind}${typeof description === 'string' && description !== '' ? `: ${description}` : ''}`;
}

/** The same with what else is known of it. */
function inOneLine(value: Named, depth: number): string {
  const others = Object.entries(value).filter(([name]) => !TITLE.has(name));
  const details = others.map(([name, field]) => `${humanName(name)}: ${exact(field, depth)}`);
  return [title(value), ...details].join(', ');
}

/** Like `inline`, but names for programs stay what they are: here they are what was asked for. */
function exact(value: unknown, depth: number): string {
  if (Array.isArray(value) && depth <= MAX_DEPTH)
    return value
      .slice(0, MAX_ITEMS)
      .map((item) => exact(item, depth + 1))
      .join(', ');
  return typeof value === 'string' ? value : inline(value, depth + 1);
}

/** A numbered list, with what the tool's name says that it is: `list_tables` lists tables. */
function things(tool: string, items: Named[]): string {
  const [verb = '', ...nouns] = words(tool.replace(/_/g, ' '));
  const what = nouns.length === 0 ? 'results' : nouns.join(' ');
  const lists = verb === 'list';
  if (items.length === 0) return lists ? `There are no ${what}.` : `There are no ${what} that fit.`;
  const lines = items.slice(0, MAX_ITEMS).map((item, at) => `${at + 1}. ${inOneLine(item, 1)}`);
  if (items.length > MAX_ITEMS) lines.push(`… and ${items.length - MAX_ITEMS} more`);
  return `${lists ? `Here are the available ${what}` : `These ${what} fit`}:\n\n${lines.join('\n')}`;
}

function list(name: string, items: unknown[]): string {
  if (items.length === 0) return `There are no ${name}.`;
  const lines = items.slice(0, MAX_ITEMS).map((item) => `- ${inline(item, 1)}`);
  if (items.length > MAX_ITEMS) lines.push(`- … and ${items.length - MAX_ITEMS} more`);
  return `${capital(name)}:\n${lines.join('\n')}`;
}

function inline(value: unknown, depth: number): string {
  if (depth > MAX_DEPTH) return '…';
  if (Array.isArray(value))
    return value
      .slice(0, MAX_ITEMS)
      .map((item) => inline(item, depth + 1))
      .join(', ');
  if (isNamed(value)) return inOneLine(value, depth);
  return isObject(value) ? pairs(Object.entries(value).slice(0, MAX_ITEMS), depth + 1) : scalar(value);
}

function pairs(fields: [string, unknown][], depth: number): string {
  return fields.map(([name, field]) => `${humanName(name)}: ${inline(field, depth)}`).join(', ');
}

function scalar(value: unknown): string {
  if (value === null) return 'none';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  // "oil_service" is a name for programs.
  return typeof value === 'string' && /^[a-z]+(?:_[a-z]+)+$/.test(value) ? humanName(value) : String(value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function humanName(name: string): string {
  return name
    .replace(/[_-]+/g, ' ')
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase();
}

function capital(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
