/** Quotes the statements of the passages that best fit a question. */
import type { Passage } from './passages.ts';
import { splitStatements } from './statements.ts';
import { bestLikeness, contentStems, words } from './words.ts';

/** A question this long has said what it is about. */
const MAX_TERMS = 64;
const MAX_QUOTES = 3;
/** Another statement is quoted too if it fits this well compared with the best. */
const ALSO_FITS = 0.85;
/** Share of the question's words that a statement and its headings must hold. */
const MIN_COVERAGE = 1 / 3;
/** What a word in the title or a heading counts, compared with one in the statement. */
const CONTEXT_WEIGHT = 0.4;
/** A word of a question before, compared with one of this question. */
const EARLIER_WEIGHT = 0.5;

/** Taken off for each passage before: whoever made the prompt put the best first. */
const LATER_PASSAGE = 0.04;

const ASKS_FOR_NUMBER = /\bhow (?:much|many|often|long|far|fast|big|large|heavy)\b|^what (?:is|are) the\b/i;

/**
 * The answer to the last of `questions` (oldest first), or null when no passage fits.
 *
 * A follow-up, such as "And the torque?", is read together with the question before it.
 */
export function extract(passages: Passage[], questions: string[]): string | null {
  const terms = queryTerms(questions);
  if (terms.size === 0) return null;
  const statements = splitStatements(passages).map((statement) => ({
    text: statement.text,
    rank: statement.passage,
    stems: new Set(contentStems(statement.text)),
    context: new Set(contentStems(statement.context)),
  }));
  const seen = new Map<string, number>();
  for (const term of terms.keys())
    seen.set(term, statements.filter(({ stems }) => bestLikeness(term, stems) > 0).length);

  const wantsNumber = ASKS_FOR_NUMBER.test(questions.at(-1)?.slice(0, 200) ?? '');
  const ownTerms = [...terms.values()].filter((weight) => weight === 1).length;
  const scored: { text: string; score: number }[] = [];
  for (const { text, stems, context, rank } of statements) {
    let score = 0;
    let covered = 0;
    for (const [term, weight] of terms) {
      const likeness = Math.max(bestLikeness(term, stems), CONTEXT_WEIGHT * bestLikeness(term, context));
      if (likeness === 0) continue;
      score += weight * likeness * rarity(seen.get(term) ?? 0, statements.length);
      if (weight === 1 || ownTerms === 0) covered += 1;
    }
    if (covered === 0 || covered < MIN_COVERAGE * (ownTerms || terms.size)) continue;
    if (wantsNumber && /\d/.test(text)) score *= 1.1;
    // Of two statements with the same words the shorter one is about them.
    scored.push({ text, score: score / ((1 + 0.01 * words(text).length) * (1 + LATER_PASSAGE * rank)) });
  }
  return quote(scored);
}

function rarity(frequency: number, total: number): number {
  return Math.log(1 + (total - frequency + 0.5) / (frequency + 0.5));
}

function quote(scored: { text: string; score: number }[]): string | null {
  // The sort is stable: equal scores keep the order of the passages.
  const ranked = [...scored].sort((a, b) => b.score - a.score);
  const limit = (ranked[0]?.score ?? 0) * ALSO_FITS;
  const texts = ranked.filter(({ score }) => score >= limit).map(({ text }) => text);
  const quotes = [...new Set(texts)].slice(0, MAX_QUOTES);
  if (quotes.length === 0) return null;
  return quotes.reduce((all, text) => `${all}${/[.!?]$/.test(all) ? ' ' : '\n'}${text}`);
}

/** Stems to look for, with weights: 1 for the question's own. */
function queryTerms(questions: string[]): Map<string, number> {
  const terms = new Map<string, number>();
  let weight = 1;
  // Three follow-ups in a row still reach the question they follow.
  for (const question of questions.slice(-4).reverse()) {
    for (const term of contentStems(question.slice(0, 4_000)))
      if (!terms.has(term) && terms.size < MAX_TERMS) terms.set(term, weight);
    if (!isFollowUp(question)) break;
    weight *= EARLIER_WEIGHT;
  }
  return terms;
}

const CONNECTS = /^\s*(?:and|but|also|then|what about|how about|ok|so)\b/i;
const REFERS = /\b(?:it|its|that|this|they|them|their|those|these|more|why)\b/i;

function isFollowUp(question: string): boolean {
  const text = question.slice(0, 4_000);
  const count = contentStems(text).length;
  return count <= 1 || (count <= 3 && CONNECTS.test(text)) || (count <= 2 && REFERS.test(text));
}
