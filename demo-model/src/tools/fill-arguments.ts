/** Fills a tool's arguments from the words of a question. */
import { z } from 'zod';
import { bestLikeness, isFiller, stem, words } from '../answer/words.ts';
import type { Tool } from '../wire/chat-request.ts';
import { findDate, findTime } from './dates.ts';
import { isVerb } from './intent.ts';

/** Further ones stay empty. */
const MAX_PARAMETERS = 32;

export interface Filled {
  values: Record<string, unknown>;
  /** Required parameters that the question says nothing about, in words. */
  missing: string[];
}

const parameterSchema = z.object({
  type: z.unknown(),
  format: z.string().optional(),
  description: z.string().default(''),
  enum: z.array(z.unknown()).max(500).optional(),
});
type Parameter = z.infer<typeof parameterSchema>;

const parametersSchema = z.object({
  properties: z.record(z.string(), parameterSchema).default({}),
  required: z.array(z.string()).default([]),
});

/** Parameters that can't be read are left out: the model only ever guesses at a schema. */
export function fillArguments(tool: Tool, question: string, today: string): Filled {
  const parsed = parametersSchema.safeParse(tool.parameters);
  const { properties, required } = parsed.success ? parsed.data : { properties: {}, required: [] };
  const date = findDate(question, today);
  const time = findTime(date?.rest ?? question);
  const rest = time?.rest ?? date?.rest ?? question;
  const found = { date: date?.value, time: time?.value, rest, tool };

  const filled: Filled = { values: {}, missing: [] };
  for (const [name, parameter] of Object.entries(properties).slice(0, MAX_PARAMETERS)) {
    const isRequired = required.includes(name);
    const value = fillOne(name, parameter, isRequired, found);
    if (value !== undefined) filled.values[name] = value;
    else if (isRequired) filled.missing.push(describe(name, parameter));
  }
  return filled;
}

interface Material {
  date: string | undefined;
  time: string | undefined;
  /** The question without date and time. */
  rest: string;
  tool: Tool;
}

function fillOne(name: string, parameter: Parameter, isRequired: boolean, found: Material): unknown {
  const about = `${name.replace(/_/g, ' ')} ${parameter.description}`;
  if (parameter.enum !== undefined) return pickEnum(parameter.enum, found);
  if (parameter.format === 'date-time') return found.date && found.time && `${found.date}T${found.time}:00`;
  if (
    parameter.format === 'date' ||
    /YYYY-MM-DD/.test(about) ||
    /\b(?:date|day)\b/i.test(name.replace(/_/g, ' '))
  )
    return found.date;
  if (parameter.format === 'time' || /HH:MM/.test(about) || /\btime\b/i.test(name.replace(/_/g, ' ')))
    return found.time;
  if (parameter.type === 'number' || parameter.type === 'integer') return findNumber(found.rest);
  if (parameter.type !== 'string') return undefined;
  if (/(?:^|_)id$|[a-z]Id$/.test(name)) return /\b[\w-]{0,60}\d[\w-]{0,60}\b/.exec(found.rest)?.[0];
  // What has a name for programs is called by it: "describe the table fact_orders".
  if (isName(parameter)) {
    const identifier = findIdentifier(found.rest);
    if (identifier !== null && isRequired) return identifier;
  }
  // Free text is only guessed at where the tool can't do without: a wrong filter hides results.
  return isRequired ? findPhrase(found) : undefined;
}

/** Whether the parameter is the name of something. */
function isName({ type, description }: Parameter): boolean {
  return type === 'string' && /\bname of\b/i.test(description);
}

/** A word that is a name for programs, such as `fact_orders`, or null. */
export function findIdentifier(text: string): string | null {
  return /\b[A-Za-z][A-Za-z0-9]{0,60}(?:_[A-Za-z0-9]{1,60}){1,20}\b/.exec(text)?.[0] ?? null;
}

/** What a later word of a choice counts: in "oil_service" the oil says what it is. */
const LATER_WORD = 0.6;

/** The choice with most of its words in the question, the first of equals; else one named "other". */
function pickEnum(choices: unknown[], found: Material): unknown {
  const said = words(found.rest).map(stem);
  let best: { choice: unknown; score: number } | null = null;
  for (const choice of choices) {
    const parts = words(String(choice).replace(/_/g, ' ')).map(stem);
    const weights = parts.map((_, at) => (at === 0 ? 1 : LATER_WORD));
    const full = weights.reduce((sum, weight) => sum + weight, 0);
    const met = weights.reduce((sum, weight, at) => sum + weight * bestLikeness(parts[at] ?? '', said), 0);
    if (met > 0 && met / full > (best?.score ?? 0)) best = { choice, score: met / full };
  }
  if (best !== null) return best.choice;
  return findPhrase(found) === undefined ? undefined : choices.find((choice) => choice === 'other');
}

function findNumber(text: string): number | undefined {
  const match = /\b\d{1,12}(?:\.\d{1,6})?\b/.exec(text);
  return match === null ? undefined : Number(match[0]);
}

/** What is left of the question without politeness, the tool's own words, and joining words. */
function findPhrase({ rest, tool }: Material): string | undefined {
  const own = new Set(words(tool.name.replace(/_/g, ' ')).map(stem));
  const drop = (word: string) => isFiller(word) || own.has(stem(word)) || isLeading(word);
  let best: string | undefined;
  for (const segment of rest.split(/[\n.,;!?]+/)) {
    const tokens = segment.trim().split(/\s+/).filter(Boolean);
    const plain = tokens.map((token) => token.toLowerCase().replace(/[^\p{L}\p{N}-]/gu, ''));
    const start = plain.findIndex((word) => !drop(word));
    if (start === -1) continue;
    const end = plain.findLastIndex((word) => !isFiller(word) && !own.has(stem(word)));
    const phrase = tokens
      .slice(start, end + 1)
      .join(' ')
      .slice(0, 200);
    if (phrase.length > (best?.length ?? 0)) best = phrase;
  }
  return best;
}

/** Words that introduce the phrase. "Change", "check" and "order" are rather part of it. */
function isLeading(word: string): boolean {
  if (/^(?:new|another|next|slot|time|kindly)$/.test(word)) return true;
  return isVerb(stem(word)) && !/^(?:chang|check|order|updat)/.test(word);
}

function describe(name: string, parameter: Parameter): string {
  const plain = name.replace(/_/g, ' ').replace(/([a-z])([A-Z])/g, '$1 $2');
  const choices = parameter.enum?.slice(0, 20).join(', ');
  const hint = choices ?? parameter.description.trim().replace(/\.$/, '').slice(0, 200);
  return hint === '' ? `the ${plain}` : `the ${plain} (${hint})`;
}
