/** Decides whether a question is for a tool, and which. */
import type { Conversation } from '../answer/conversation.ts';
import { withDemoLine } from '../answer/demo-line.ts';
import { bestLikeness, contentStems, stem, words } from '../answer/words.ts';
import type { ChatRequest, Tool } from '../wire/chat-request.ts';
import { findToday } from './dates.ts';
import { type Filled, fillArguments, findIdentifier } from './fill-arguments.ts';
import { intentOfQuestion, intentOfTool, isVerb } from './intent.ts';

export type ToolChoice =
  | { kind: 'call'; name: string; arguments: Record<string, unknown> }
  | { kind: 'ask'; text: string };

/** A tool is called from this score on; see `fitness`. */
const FITS = 2;
const NEEDS = 'To do that I still need: ';

/**
 * A call, a question for what the call lacks, or null when no tool fits.
 *
 * "Tomorrow" is counted from the day the prompt names as today, else from `clockDate`.
 */
export function chooseTool(
  request: ChatRequest,
  conversation: Conversation,
  clockDate: string,
): ToolChoice | null {
  const choice = request.tool_choice ?? 'auto';
  if (choice === 'none' || conversation.messages.at(-1)?.role !== 'user') return null;
  const question = requestSoFar(conversation).slice(0, 4_000);
  const today = findToday(conversation.instructions) ?? clockDate;
  const named = typeof choice === 'object' ? choice.function.name : null;
  const ranked = (request.tools ?? [])
    .map((tool) => ({ tool: tool.function, filled: fillArguments(tool.function, question, today) }))
    .filter(({ tool }) => named === null || tool.name === named)
    .map((entry) => ({
      ...entry,
      score: fitness(entry.tool, question, entry.filled) - 0.1 * entry.filled.missing.length,
    }))
    .sort((a, b) => b.score - a.score);
  const best = ranked[0];
  if (best === undefined || (choice === 'auto' && best.score + 0.1 * best.filled.missing.length < FITS))
    return null;
  if (best.filled.missing.length === 0)
    return { kind: 'call', name: best.tool.name, arguments: best.filled.values };
  return {
    kind: 'ask',
    text: withDemoLine(
      `${NEEDS}${best.filled.missing.join('; ')}.`,
      `it fills the tool ${best.tool.name} from your words.`,
    ),
  };
}

/** The last question, with those before it as long as each was answered by asking for more. */
function requestSoFar(conversation: Conversation): string {
  const talk = conversation.messages.filter(({ role }) => role === 'user' || role === 'assistant');
  const parts: string[] = [];
  for (let at = talk.length - 1; at >= 0 && parts.length < 6; at -= 2) {
    parts.unshift(talk[at]?.content ?? '');
    const before = talk[at - 1];
    if (before?.role !== 'assistant' || !before.content.startsWith(NEEDS)) break;
  }
  return parts.join('\n');
}

/**
 * How well a tool fits: 2 for a noun of its name and 1 for each further one, 2 for its own verb if
 * that does something or the question begins with it, 2 for the name of a thing that it needs, 1
 * for the same intent, half for its own verb, for a text that it can't do without, and for each of
 * two words of its description; a contrary intent takes 2.
 */
function fitness(tool: Tool, question: string, filled: Filled): number {
  const asked = [...new Set([...contentStems(question), ...words(question).map(stem).filter(isVerb)])];
  const name = words(tool.name.replace(/_/g, ' ')).map(stem);
  const nouns = name.filter((part) => !isVerb(part));
  const described = contentStems(tool.description.slice(0, 1_000)).filter((part) => !isVerb(part));

  const intent = intentOfQuestion(question);
  const purpose = intentOfTool(tool.name, tool.description);
  const contrary = intent !== null && purpose !== null && intent !== purpose;
  const metNouns = nouns.filter((part) => bestLikeness(part, asked) > 0).length;
  const texts = Object.values(filled.values).filter((value) => typeof value === 'string');
  const complete = texts.length > 0 && filled.missing.length === 0;
  const named = complete && texts.includes(findIdentifier(question) ?? '');
  const ownVerb = asked.some((term) => isVerb(term) && name.includes(term));
  // "Find", "show" and "change" stand in too many other questions to decide alone.
  const decides = purpose === 'make' || purpose === 'cancel' || (complete && beginsWith(question, name));
  const verb = ownVerb && decides && !contrary;
  if (metNouns === 0 && !verb && !named) return 0;
  const inDescription = asked.filter((term) => bestLikeness(term, described) > 0).length;
  return (
    (metNouns === 0 ? 0 : 1 + metNouns) +
    (verb ? 2 : 0) +
    (named ? 2 : 0) +
    (intent !== null && intent === purpose ? 1 : 0) +
    (ownVerb && purpose === 'read' ? 0.5 : 0) +
    (complete && purpose === 'read' ? 0.5 : 0) +
    0.5 * Math.min(inDescription, 2) -
    (contrary ? 2 : 0)
  );
}

/** Whether the first word, politeness aside, is the tool's own verb. */
function beginsWith(question: string, name: string[]): boolean {
  // In a room people say whom they mean.
  const first = words(question.replace(/^\s*@\w{1,32}/, '')).find((word) => word !== 'please');
  return first !== undefined && isVerb(stem(first)) && stem(first) === name[0];
}
