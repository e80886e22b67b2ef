/** What is looked up for a question. */
import { contentWords } from './words.ts';

export interface RetrievalQuery {
  /** Words in their indexed form, and how much each counts. */
  weights: ReadonlyMap<string, number>;
}

/** "And the torque?" is a follow-up; with three words of its own a question stands by itself. */
const ENOUGH_WORDS = 3;
const PREVIOUS_WEIGHT = 0.3;
/** A question may have 16,000 characters; the index is asked for so many words of it. */
const MAX_WORDS = 64;

/** The words of a question, helped out by those of the one before where it has few. */
export function retrievalQuery(question: string, previous: string | null): RetrievalQuery {
  const weights = new Map<string, number>();
  for (const word of contentWords(question)) if (weights.size < MAX_WORDS) weights.set(word, 1);
  if (weights.size >= ENOUGH_WORDS || previous === null) return { weights };
  for (const word of contentWords(previous))
    if (weights.size < MAX_WORDS && !weights.has(word)) weights.set(word, PREVIOUS_WEIGHT);
  return { weights };
}
