/** Picks an agent by asking the model. */
import type { TokenUsage } from '@natter/proto';
import type { Model, ModelMessage } from '../model/model.ts';
import { ModelError } from '../model/model-error.ts';
import type { AgentCatalogue } from './agent-catalogue.ts';
import type { Question } from './answer.ts';

const TIMEOUT_MS = 5_000;
const EARLIER_QUESTIONS = 3;
/** A question may be a pasted document; its beginning says what it is about. */
const MAX_QUESTION_CHARS = 2_000;
/** A name and some JSON around it. Models that think before they speak need more than that. */
const MAX_TOKENS = 500;
const MAX_REPLY_CHARS = 10_000;

export interface Classification {
  agent: string;
  /** The model that picked it. */
  model: string;
  usage: TokenUsage | null;
}

/** The agent for a question; throws ModelError when the model fails or names none. */
export async function classify(
  model: Model,
  { routed: agents }: AgentCatalogue,
  question: Question,
): Promise<Classification> {
  const names = agents.map(({ name }) => name);
  let reply = '';
  const request = {
    purpose: 'classify' as const,
    messages: prompt(agents, question),
    reply: { name: 'route', schema: replySchema(names) },
    temperature: 0,
    maxTokens: MAX_TOKENS,
    timeoutMs: TIMEOUT_MS,
    retries: 1,
    traceparent: question.traceparent,
    signal: question.signal,
    log: question.log,
  };
  const { usage, model: name } = await model.ask(request, (text) => {
    if (reply.length < MAX_REPLY_CHARS) reply += text;
  });
  const agent = readReply(reply, names);
  if (agent === null)
    throw new ModelError(
      'BAD_REPLY',
      `the classifier named no agent: ${JSON.stringify(reply.slice(0, 200))}`,
    );
  return { agent, model: name, usage };
}

function prompt(agents: AgentCatalogue['routed'], { text, history }: Question): ModelMessage[] {
  const system = [
    "Pick the expert for the user's last message. Earlier messages are context only.",
    'Reply with JSON: {"agent": "<name>"}. The experts:',
    ...agents.map(({ name, description }) => `- ${name}: ${description}`),
  ].join('\n');
  const earlier = history.filter(({ role }) => role === 'user').slice(-EARLIER_QUESTIONS);
  return [
    { role: 'system', content: system },
    ...[...earlier.map((message) => message.text), text].map(
      (content): ModelMessage => ({ role: 'user', content: content.slice(0, MAX_QUESTION_CHARS) }),
    ),
  ];
}

function replySchema(names: string[]): Record<string, unknown> {
  return {
    type: 'object',
    properties: { agent: { type: 'string', enum: names } },
    required: ['agent'],
    additionalProperties: false,
  };
}

/** The name in the reply. Servers that know no schemas answer in a fence, or with the bare name. */
export function readReply(reply: string, names: readonly string[]): string | null {
  const json = /\{[^{}]*\}/.exec(reply)?.[0];
  let named: unknown = reply.trim();
  if (json !== undefined) {
    try {
      named = (JSON.parse(json) as { agent?: unknown }).agent;
    } catch {
      return null;
    }
  }
  return names.find((name) => name === named) ?? null;
}
