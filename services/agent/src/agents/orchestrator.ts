/** Answers questions: picks an agent, finds passages, lets the model speak and use tools. */
import type { AnswerMetadata } from '@natter/proto';
import type { ConversationFiles } from '../knowledge/conversation-files.ts';
import type { Knowledge } from '../knowledge/knowledge.ts';
import { mergePassages } from '../knowledge/merge-passages.ts';
import { retrievalQuery } from '../knowledge/retrieval-query.ts';
import type { Prices } from '../model/prices.ts';
import type { ToolBox } from '../tools/tool-box.ts';
import type { AgentCatalogue } from './agent-catalogue.ts';
import type { AnswerEvent, Orchestrator, Question } from './answer.ts';
import { ground } from './grounding.ts';
import { createLexicalRouter } from './lexical-router.ts';
import type { Models } from './model-choice.ts';
import { oneLine } from './one-line.ts';
import { openingMessages, systemPrompt } from './prompt.ts';
import { route } from './route.ts';
import { speak } from './speak.ts';
import { speakerNames } from './speaker-names.ts';
import { UsageTotal } from './usage-total.ts';

/** Passages of about 800 characters; more of them cost tokens and rarely help. */
const PASSAGES = 6;

export interface OrchestratorDeps {
  models: Models;
  prices: Prices;
  /** Longest answer in tokens that a client may ask for, of agents without a limit of their own. */
  clientMaxTokens: number;
  agents: AgentCatalogue;
  knowledge: Knowledge;
  files: Pick<ConversationFiles, 'of'>;
  tools: ToolBox;
  /** Default: the clock of the process. */
  now?: () => Date;
}

/** Puts the parts together. `close` closes the knowledge. */
export function createOrchestrator(deps: OrchestratorDeps): Orchestrator {
  const { models, prices, clientMaxTokens, agents, knowledge, files, tools, now = () => new Date() } = deps;
  const lexical = createLexicalRouter(agents.routed);

  async function answer(asked: Question, tell: (event: AnswerEvent) => void): Promise<AnswerMetadata> {
    const question = { ...asked, history: earlier(asked) };
    const before = question.history.findLast(({ role }) => role === 'user')?.text ?? null;
    const { options } = question;
    const total = new UsageTotal(prices);
    const { model, name: modelName, notes } = models.choose(options);
    if (options.agent !== undefined && agents.get(options.agent) === undefined)
      notes.push(`There is no agent ${oneLine(options.agent, 64)}; another one answers.`);

    // Never rejects; what it takes passes while the agent is picked.
    const shared = files.of(question.conversation, question.signal, question.log);

    tell({ type: 'step', step: 'agent_routing' });
    for (const text of notes) tell({ type: 'note', text });
    const found = await route({ model, agents, lexical }, question, before);
    if (found.call !== null) total.add(found.call.model, found.call.usage);
    tell({ type: 'agent', agent: found.agent.name });

    tell({ type: 'step', step: 'rag_retrieval' });
    const { agent } = found;
    const query = retrievalQuery(question.text, before);
    const texts = await shared;
    question.signal.throwIfAborted();
    const passages = mergePassages(
      query,
      texts?.search(query, PASSAGES) ?? [],
      knowledge.search(query, agent.knowledge, PASSAGES),
      PASSAGES,
    );

    tell({ type: 'step', step: 'generating' });
    const names = speakerNames(question);
    const system = systemPrompt({
      agent,
      passages,
      files: texts?.files.map(({ name }) => name) ?? [],
      clientPrompt: options.systemPrompt,
      shared: names !== null,
      now: now(),
    });
    const speaking = { model, modelName, clientMaxTokens, tools, now };
    const opening = openingMessages(system, question, names);
    const spoken = await speak(speaking, agent, opening, question, total, tell);

    const { confidence, sources } = ground({
      question: question.text,
      answer: spoken.text,
      passages: [...passages.files, ...passages.knowledge],
      toolResults: spoken.toolResults,
      routedBy: found.by,
    });
    return {
      agent: agent.name,
      confidence,
      sources,
      model: spoken.model,
      usage: total.usage,
      ...(total.costUsd === undefined ? {} : { costUsd: total.costUsd }),
    };
  }

  return {
    answer,
    describe: () => agents.agents.map(({ name, description }) => ({ name, description })),
    close: () => knowledge.close(),
  };
}

/** The transcript may hold the question itself, stored before this run began, and deleted messages. */
function earlier({ history, run }: Question): Question['history'] {
  return history.filter((message) => message.run !== run && message.text !== '');
}
