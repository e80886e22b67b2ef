/** Brings the passages of a conversation's files and of the knowledge together. */
import type { Passage } from './passage.ts';
import type { RetrievalQuery } from './retrieval-query.ts';
import { speaksOfFiles } from './speaks-of-files.ts';
import { contentWords } from './words.ts';

/** A passage of a file matches if it holds at least so much of the question as the best one of all, times this. */
const MATCHES = 0.5;
/** Of the knowledge's passages, so that a file and the knowledge can be compared in one answer. */
const RESERVED = 2;

export interface FoundPassages {
  /** Of the conversation's files, best first. */
  files: Passage[];
  /** Of the knowledge, best first. */
  knowledge: Passage[];
}

/**
 * The `k` passages an answer gets, of two lists that are each best first.
 *
 * The scores of two BM25 indexes can't be compared: a word counts by its rarity, and in the index of
 * one short file nothing is rare. What can be compared is the share of the question's words that a
 * passage holds. Passages of files that hold enough go first, because who shares a file and asks
 * means the file; those that meet the question in some word only would take the place of better ones.
 */
export function mergePassages(
  query: RetrievalQuery,
  files: readonly Passage[],
  knowledge: readonly Passage[],
  k: number,
): FoundPassages {
  const matching = speaksOfFiles(query) ? files : matchingOf(query, files, knowledge);
  const ofFiles = matching.slice(0, k - Math.min(RESERVED, knowledge.length));
  return { files: ofFiles, knowledge: knowledge.slice(0, k - ofFiles.length) };
}

function matchingOf(
  query: RetrievalQuery,
  files: readonly Passage[],
  knowledge: readonly Passage[],
): Passage[] {
  if (files.length === 0) return [];
  const shares = files.map((passage) => heldWeight(query, passage));
  const best = Math.max(...shares, ...knowledge.map((passage) => heldWeight(query, passage)));
  return files.filter((_, index) => (shares[index] ?? 0) >= MATCHES * best);
}

/** Weight of the question's words that a passage holds. */
function heldWeight({ weights }: RetrievalQuery, { title, text }: Passage): number {
  let held = 0;
  for (const word of contentWords(`${title}\n${text}`)) held += weights.get(word) ?? 0;
  return held;
}
