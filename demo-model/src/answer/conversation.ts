/** The messages of a request, sorted into what an answer needs. */
import type { Message } from '../wire/chat-request.ts';

export interface Conversation {
  /** All instructions, passages among them. */
  instructions: string;
  /** What the user has said, oldest first. */
  questions: string[];
  /** Without the parts that ask for a continuation. */
  messages: Message[];
  /** Beginning of an answer that broke off and is to be continued; empty: none. */
  partial: string;
}

/** "Continue exactly where you stopped" and the like. */
const CONTINUE = /\bcontinue\b[^?]{0,120}\b(?:exactly|where (?:you|it|the))\b/i;

/** An instruction that says so; a real model reads the names, this one takes them off. */
const NAMES = /\beach message begins with the name of whoever wrote it\b/i;
const SPEAKER = /^[^:\n]{1,100}: /;

export function readConversation(all: Message[]): Conversation {
  const { messages, partial } = splitPartial(withoutNames(all));
  const texts = (roles: Message['role'][]) =>
    messages.filter(({ role }) => roles.includes(role)).map(({ content }) => content);
  return {
    instructions: texts(['system', 'developer']).join('\n'),
    questions: texts(['user']),
    messages,
    partial,
  };
}

function splitPartial(all: Message[]): { messages: Message[]; partial: string } {
  const end = isContinuationRequest(all.at(-1)) ? all.length - 1 : all.length;
  const last = all[end - 1];
  if (last?.role !== 'assistant' || last.tool_calls !== undefined) return { messages: all, partial: '' };
  return { messages: all.slice(0, end - 1), partial: last.content };
}

function isContinuationRequest(message: Message | undefined): boolean {
  if (message === undefined || message.role === 'assistant' || message.role === 'tool') return false;
  const text = message.content.slice(0, 2_000);
  // A person may well ask whether to continue driving.
  return CONTINUE.test(text) && (message.role !== 'user' || !text.includes('?'));
}

/** What is still to be sent of `answer` after `partial`. */
export function remainderOf(answer: string, partial: string): string {
  if (partial === '') return answer;
  // A beginning that this model would not have written can't be continued: it starts over.
  return answer.startsWith(partial) ? answer.slice(partial.length) : `\n\n${answer}`;
}

function withoutNames(all: Message[]): Message[] {
  if (!all.some(({ role, content }) => (role === 'system' || role === 'developer') && NAMES.test(content)))
    return all;
  return all.map((message) =>
    message.role === 'user' ? { ...message, content: message.content.replace(SPEAKER, '') } : message,
  );
}
