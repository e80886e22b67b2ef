/** What the demo model replies to a request; no clock, no network, always the same. */
import type { Behaviour } from '../behaviour/behaviour.ts';
import { chooseTool } from '../tools/choose-tool.ts';
import { renderResults } from '../tools/render-results.ts';
import type { ChatRequest } from '../wire/chat-request.ts';
import { classify } from './classify.ts';
import { type Conversation, remainderOf } from './conversation.ts';
import { withDemoLine } from './demo-line.ts';
import { extract } from './extract.ts';
import { readPassages } from './passages.ts';
import { greet, recall } from './small-talk.ts';

export type Reply =
  | { kind: 'text'; text: string }
  | { kind: 'tool-call'; id: string; name: string; arguments: string };

const NOTHING_FOUND = withDemoLine(
  'I found nothing about that in the knowledge base.',
  'it can only quote the knowledge base.',
);

export interface AnswerContext {
  behaviour: Behaviour;
  conversation: Conversation;
  /** YYYY-MM-DD, what "today" and "tomorrow" are counted from. */
  today: string;
  /** The id of a tool call, if one is made. */
  callId: string;
}

export function answer(request: ChatRequest, context: AnswerContext): Reply {
  const { behaviour, conversation } = context;
  if (request.response_format?.type === 'json_schema')
    return { kind: 'text', text: classify(request.response_format, conversation) };
  const whole = wholeAnswer(request, context);
  if (typeof whole !== 'string') return whole;
  return { kind: 'text', text: remainderOf(whole, conversation.partial) };

  function wholeAnswer(request: ChatRequest, context: AnswerContext): string | Reply {
    const question = conversation.questions.at(-1) ?? '';
    if (behaviour.script !== null) return behaviour.script;
    if (behaviour.answer === 'echo') return `Echo: ${question}`;
    const results = renderResults(conversation.messages);
    if (results !== null) return results;
    const chosen = chooseTool(request, conversation, context.today);
    if (chosen?.kind === 'ask') return chosen.text;
    if (chosen?.kind === 'call')
      return {
        kind: 'tool-call',
        id: context.callId,
        name: chosen.name,
        arguments: JSON.stringify(chosen.arguments),
      };
    return inWords(conversation);
  }
}

function inWords(conversation: Conversation): string {
  const { questions } = conversation;
  const found = greet(questions.at(-1) ?? '') ?? recall(questions);
  if (found !== null) return found;
  const quoted = extract(readPassages(conversation.instructions), questions);
  return quoted === null
    ? NOTHING_FOUND
    : withDemoLine(quoted, 'this answer is quoted from the knowledge base.');
}
