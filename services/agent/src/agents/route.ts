/** Finds the agent for a question; a classifier that fails doesn't fail the run. */
import type { Model } from '../model/model.ts';
import type { AgentCatalogue } from './agent-catalogue.ts';
import type { Agent } from './agent-file.ts';
import type { Question } from './answer.ts';
import { type Classification, classify } from './classifier.ts';
import type { LexicalRouter } from './lexical-router.ts';

export interface Route {
  agent: Agent;
  /** How it was found; confidence is damped where no model had a say. */
  by: 'named' | 'only' | 'classifier' | 'words' | 'default';
  /** The classifier's call, where one was made and answered. */
  call: Omit<Classification, 'agent'> | null;
}

/** The route of a question. Throws only the reason of an aborted signal. */
export async function route(
  deps: { model: Model; agents: AgentCatalogue; lexical: LexicalRouter },
  question: Question,
  previous: string | null,
): Promise<Route> {
  const { agents, model, lexical } = deps;
  const named = agents.get(question.options.agent ?? '');
  if (named !== undefined) return { agent: named, by: 'named', call: null };
  if (agents.routed.length === 1) return { agent: agents.fallback, by: 'only', call: null };
  try {
    const { agent, ...call } = await classify(model, agents, question);
    return { agent: agents.get(agent) ?? agents.fallback, by: 'classifier', call };
  } catch (err) {
    question.signal.throwIfAborted();
    const agent = agents.get(lexical.route(question.text, previous) ?? '');
    const by = agent === undefined ? 'default' : 'words';
    question.log.warn({ err, agent: (agent ?? agents.fallback).name, by }, 'routed without the classifier');
    return { agent: agent ?? agents.fallback, by, call: null };
  }
}
