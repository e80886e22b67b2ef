/** Answers questions: picks an agent, finds passages, lets the model speak and use tools. */
import type { Knowledge } from '../knowledge/knowledge.ts';
import { retrievalQuery } from '../knowledge/retrieval-query.ts';
import type { Model } from '../model/model.ts';
import type { ToolBox } from '../tools/tool-box.ts';
import type { AgentCatalogue } from './agent-catalogue.ts';
import type { AnswerEvent, Orchestrator, Question } from './answer.ts';
import { ground } from './grounding.ts';
import { createLexicalRouter } from './lexical-router.ts';
import { systemPrompt } from './prompt.ts';
import { route } from './route.ts';
import { speak } from './speak.ts';
import { UsageTotal } from './usage-total.ts';

/** Passages of about 800 characters; more of them cost tokens and rarely help. */
const PASSAGES = 6;

export interface OrchestratorDeps {
  model: Model;
  agents: AgentCatalogue;
  knowledge: Knowledge;
  tools: ToolBox;
  /** Default: the clock of the process. */
  now?: () => Date;
}

/** Puts the parts together. `close` closes the knowledge. */
export function createOrchestrator(deps: OrchestratorDeps): Orchestrator {
  const { model, agents, knowledge, tools, now = () => new Date() } = deps;
  const lexical = createLexicalRouter(agents.agents);

  async function* answer(asked: Question): AsyncGenerator<AnswerEvent, void, undefined> {
    const question = { ...asked, history: earlier(asked) };
    const before = question.history.findLast(({ role }) => role === 'user')?.text ?? null;
    const total = new UsageTotal();

    yield { type: 'step', step: 'agent_routing' };
    const found = await route({ model, agents, lexical }, question, before);
    total.add(found.usage);

    yield { type: 'step', step: 'rag_retrieval' };
    const { agent } = found;
    const passages = knowledge.search(retrievalQuery(question.text, before), agent.knowledge, PASSAGES);
    question.signal.throwIfAborted();

    yield { type: 'step', step: 'generating' };
    const system = systemPrompt(agent, passages, now());
    const spoken = yield* speak({ model, tools, now }, agent, system, question, total);

    const { confidence, sources } = ground({
      question: question.text,
      answer: spoken.text,
      passages,
      toolResults: spoken.toolResults,
      routedBy: found.by,
    });
    const metadata = { agent: agent.name, confidence, sources, model: spoken.model, usage: total.usage };
    yield { type: 'done', metadata };
  }

  return {
    answer,
    describe: () => agents.agents.map(({ name, description }) => ({ name, description })),
    close: () => knowledge.close(),
  };
}

/** The transcript may hold the question itself, stored before this run began. */
function earlier({ history, run }: Question): Question['history'] {
  return history.filter((message) => message.run !== run);
}
