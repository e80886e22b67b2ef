/** The part of an answer in which the model speaks and calls tools, in turns. */
import { LIMITS } from '@natter/proto';
import type { Model, ModelMessage } from '../model/model.ts';
import { ModelError } from '../model/model-error.ts';
import type { ToolBox } from '../tools/tool-box.ts';
import type { Agent } from './agent-file.ts';
import type { AnswerEvent, Question } from './answer.ts';
import { continuation } from './prompt.ts';
import { Seam } from './seam.ts';
import type { UsageTotal } from './usage-total.ts';

/** After so many rounds of tool calls the model has to answer with what it has. */
const MAX_ROUNDS = 4;
const MAX_CALLS_PER_ROUND = 8;

export interface Spoken {
  /** The whole answer, what was published before included. */
  text: string;
  /** The model that spoke last. */
  model: string;
  toolResults: string[];
}

interface SpeakDeps {
  model: Model;
  /** Unset: as configured. */
  modelName: string | undefined;
  /** Most tokens a client may ask for where the agent has no limit of its own. */
  clientMaxTokens: number;
  tools: ToolBox;
  now: () => Date;
}

/** Tells texts and tool calls as they come; resolves with the whole. Throws ModelError. */
export async function speak(
  { model, modelName, clientMaxTokens, tools, now }: SpeakDeps,
  agent: Agent,
  opening: readonly ModelMessage[],
  question: Question,
  total: UsageTotal,
  tell: (event: AnswerEvent) => void,
): Promise<Spoken> {
  const endsAt = performance.now() + model.answerTimeoutMs;
  const published = question.published.text;
  const seam = new Seam(published);
  const messages = [...opening];
  const declared = tools.declare(agent.tools);
  const temperature = question.options.temperature ?? agent.temperature;
  const maxTokens = longestAnswer(question.options.maxTokens, agent.maxTokens, clientMaxTokens);
  const toolResults: string[] = [];
  /** The answer so far. */
  let text = published;
  /** Whether an earlier round has said something, be it new or a repeat. */
  let spokeBefore = false;

  for (let round = 0; ; round += 1) {
    let said = '';
    const request = {
      purpose: 'answer' as const,
      ...(modelName === undefined ? {} : { model: modelName }),
      // Last, so that the results of tools stand where they stood for the attempt that died.
      messages: published === '' ? messages : [...messages, ...continuation(text)],
      tools: declared,
      toolChoice: round < MAX_ROUNDS ? ('auto' as const) : ('none' as const),
      ...(temperature === undefined ? {} : { temperature }),
      ...(maxTokens === undefined ? {} : { maxTokens }),
      timeoutMs: Math.max(1, endsAt - performance.now()),
      traceparent: question.traceparent,
      signal: question.signal,
      log: question.log,
    };
    const finish = await model.ask(request, (piece) => {
      // Text after a tool call begins a paragraph of its own.
      const gap = said === '' && spokeBefore ? '\n\n' : '';
      said += piece;
      const fresh = seam.open && gap === '' ? piece : seam.push(gap + piece);
      if (fresh === '') return;
      text += fresh;
      if (text.length > LIMITS.answerChars)
        throw new ModelError('TOO_LONG', `the answer has more than ${LIMITS.answerChars} characters`);
      tell({ type: 'text', text: fresh });
    });
    total.add(finish.model, finish.usage);
    if (finish.reason === 'length')
      question.log.warn({ agent: agent.name }, 'the answer was cut at its longest');

    if (finish.toolCalls.length === 0 || round === MAX_ROUNDS) {
      const held = seam.end();
      if (held !== '') tell({ type: 'text', text: held });
      text += held;
      if (text === '') throw new ModelError('BAD_REPLY', 'the model answered with nothing');
      return { text, model: finish.model, toolResults };
    }
    spokeBefore ||= said !== '';
    const answered = published === '' ? said : '';
    messages.push({ role: 'assistant', content: answered, toolCalls: finish.toolCalls });
    for (const [position, call] of finish.toolCalls.entries()) {
      question.signal.throwIfAborted();
      let result = JSON.stringify({
        ok: false,
        reason: 'too_many_calls',
        message: 'Too many calls at once.',
      });
      if (position < MAX_CALLS_PER_ROUND) {
        const { run, customerId, log } = question;
        result = await tools.call(call, agent.tools, { run, customerId, log, now: now() });
        toolResults.push(result);
        tell({ type: 'tool', tool: call.tool, result });
      }
      messages.push({ role: 'tool', callId: call.id, content: result });
    }
  }
}

/** What a client asks for, never above what the agent has; undefined: the provider's own. */
function longestAnswer(
  asked: number | undefined,
  ofAgent: number | undefined,
  clientMaxTokens: number,
): number | undefined {
  return asked === undefined ? ofAgent : Math.min(asked, ofAgent ?? clientMaxTokens);
}
