/** Picks an agent by the words of the question, without a model. */
import MiniSearch from 'minisearch';
import { retrievalQuery } from '../knowledge/retrieval-query.ts';
import { indexForm, splitWords } from '../knowledge/words.ts';
import type { Agent } from './agent-file.ts';

export interface LexicalRouter {
  /** Name of the agent whose description and examples fit best, or null where none does. */
  route(question: string, previous: string | null): string | null;
}

/** BM25 over what each agent's file says about it. */
export function createLexicalRouter(agents: readonly Agent[]): LexicalRouter {
  const index = new MiniSearch<{ id: string; about: string; examples: string }>({
    fields: ['id', 'about', 'examples'],
    tokenize: splitWords,
    processTerm: indexForm,
  });
  index.addAll(
    agents.map(({ name, description, examples }) => ({
      id: name,
      about: description,
      examples: examples.join('\n'),
    })),
  );
  return {
    route(question, previous) {
      const { weights } = retrievalQuery(question, previous);
      const [best] = index.search([...weights.keys()].join(' '), {
        tokenize: (text) => text.split(' '),
        processTerm: (term) => term,
        boostTerm: (term) => weights.get(term) ?? 1,
      });
      return best === undefined ? null : String(best.id);
    },
  };
}
