/** An orchestrator that does as it is told, so that a test decides when a run goes on. */
import type { AnswerMetadata } from '@natter/proto';
import type { AnswerEvent, Orchestrator, Question } from '../../src/agents/answer.ts';

export const METADATA: AnswerMetadata = {
  agent: 'specs',
  confidence: 1,
  sources: ['a.md'],
  model: 'script',
  usage: null,
};

export interface Script extends Orchestrator {
  /** The questions asked so far. */
  readonly asked: Question[];
}

type Played = AnswerEvent | { type: 'done'; metadata: AnswerMetadata };

/** Answers each question by what `play` yields. */
export function scripted(play: (question: Question) => AsyncIterable<Played>): Script {
  const asked: Question[] = [];
  return {
    asked,
    async answer(question, tell) {
      asked.push(question);
      for await (const event of play(question)) {
        if (event.type === 'done') return event.metadata;
        tell(event);
      }
      throw new Error('the script has no end');
    },
    describe: () => [],
    close: async () => {},
  };
}

/** The whole answer in words, without what an earlier attempt has said. */
export async function* say(question: Question, text: string): AsyncGenerator<Played> {
  yield { type: 'step', step: 'agent_routing' };
  yield { type: 'step', step: 'rag_retrieval' };
  yield { type: 'step', step: 'generating' };
  for (const word of text.slice(question.published.text.length).split(/(?<= )/))
    yield { type: 'text', text: word };
  yield { type: 'done', metadata: METADATA };
}
