/** How far an answer rests on what the model was given; docs/reference/confidence.md says why so. */
import { LIMITS } from '@natter/proto';
import type { Passage } from '../knowledge/passage.ts';
import { contentWords } from '../knowledge/words.ts';
import type { Route } from './route.ts';

/** A source must add at least this share of the answer's words, and at least three words. */
const SOURCE_SHARE = 0.1;
const SOURCE_WORDS = 3;

/** A last paragraph in brackets is a remark about the answer: the demo model ends with one. */
const REMARK = /\n\s*\n\([^()]*\)\s*$/;

/** The number of a list's item says nothing, and stands in no passage. */
const LIST_NUMBER = /^[ \t]{0,8}\d{1,3}[.)][ \t]/gm;

/** What the way to the agent takes off: nobody but the words, or nobody at all, vouched for it. */
const ROUTE_FACTOR: Record<Route['by'], number> = {
  named: 1,
  only: 1,
  classifier: 1,
  words: 0.9,
  default: 0.75,
};

export interface Grounding {
  /** 0 to 1, two decimals. */
  confidence: number;
  /** Files the answer rests on, most used first. */
  sources: string[];
}

/** Measures an answer against the passages and tool results behind it. */
export function ground(input: {
  question: string;
  answer: string;
  passages: readonly Passage[];
  toolResults: readonly string[];
  routedBy: Route['by'];
}): Grounding {
  const answered = tellingWords(input.answer.replace(REMARK, '').replace(LIST_NUMBER, ''), input.question);
  const byFile = wordsByFile(input.passages);
  const byTools = new Set(input.toolResults.flatMap((result) => [...contentWords(result)]));
  const given = new Set(byTools);
  for (const found of byFile.values()) for (const word of found) given.add(word);
  const supported = [...answered].filter((word) => given.has(word)).length;
  const share = answered.size === 0 ? 0 : supported / answered.size;
  return {
    confidence: Math.round(share * ROUTE_FACTOR[input.routedBy] * 100) / 100,
    // What a tool said needs no file to support it.
    sources: usedFiles(without(answered, byTools), byFile),
  };
}

/** The answer's words that the question did not bring; all of them where that leaves none. */
function tellingWords(answer: string, question: string): Set<string> {
  const all = contentWords(answer);
  const fresh = without(all, contentWords(question));
  return fresh.size === 0 ? all : fresh;
}

function wordsByFile(passages: readonly Passage[]): Map<string, Set<string>> {
  const byFile = new Map<string, Set<string>>();
  for (const { source, title, text } of passages) {
    const found = byFile.get(source) ?? new Set();
    for (const word of contentWords(`${title}\n${text}`)) found.add(word);
    byFile.set(source, found);
  }
  return byFile;
}

/**
 * Takes the file that covers most of the answer, then the one that covers most of what is left,
 * and so on: a file that only shares words with a better one was not used.
 */
function usedFiles(answered: Set<string>, byFile: Map<string, Set<string>>): string[] {
  const least = Math.min(answered.size, Math.max(SOURCE_WORDS, Math.ceil(answered.size * SOURCE_SHARE)));
  const used: string[] = [];
  let left = answered;
  const candidates = new Map(byFile);
  while (left.size > 0 && used.length < LIMITS.sources) {
    let best = { source: '', covered: 0 };
    for (const [source, found] of candidates) {
      const covered = left.size - without(left, found).size;
      if (covered > best.covered) best = { source, covered };
    }
    if (best.covered < least || best.covered === 0) break;
    used.push(best.source);
    left = without(left, candidates.get(best.source) ?? new Set());
    candidates.delete(best.source);
  }
  return used;
}

function without(all: ReadonlySet<string>, taken: ReadonlySet<string>): Set<string> {
  return new Set([...all].filter((word) => !taken.has(word)));
}
