/** Answers that need no passage: greetings, and questions about the conversation itself. */
import { withDemoLine } from './demo-line.ts';
import { contentStems } from './words.ts';

const INTRODUCTION = withDemoLine(
  'Hello! I am the demo model. I answer by quoting the knowledge base, word for word.',
  'it stands in while no model key is set.',
);

const GREETING =
  /^\s*(?:hi|hello|hey|good (?:morning|afternoon|evening|day)|greetings|howdy|thanks|thank you)\b/i;
const WHO = /\b(?:who|what) are you\b|\bintroduce yourself\b|\bwhat can you (?:do|help)\b/i;

/** A self-introduction, or null when the text is more than a greeting. */
export function greet(question: string): string | null {
  const text = question.slice(0, 500).replace(MENTION, '');
  if (WHO.test(text)) return INTRODUCTION;
  if (!GREETING.test(text)) return null;
  const rest = text.replace(GREETING, '').replace(/\b(?:there|everyone|all)\b/gi, '');
  return contentStems(rest).length === 0 ? INTRODUCTION : null;
}

/** In a room people say whom they mean. */
const MENTION = /^\s*@\w{1,32}[,:]?\s/;

const FIRST = /\bfirst (?:question|message)\b|\b(?:ask|asked|say|said) (?:you )?first\b/i;
const ALL = /\bmy (?:earlier |previous )?(?:questions|messages)\b|\b(?:asked|said) (?:you )?so far\b/i;
const BEFORE =
  /\bwhat (?:did|have|had) i (?:just |already )?(?:ask|say|said|asked|write|written)\b|\bmy (?:last|previous|earlier|prior) (?:question|message)\b|\bwhat was my question\b/i;

/** The answer to a question about earlier questions, or null when it is another question. */
export function recall(questions: string[]): string | null {
  const question = questions.at(-1)?.slice(0, 500) ?? '';
  const earlier = questions.slice(0, -1);
  const answer = (text: string) => withDemoLine(text, 'this answer is read from this conversation.');
  const asks = [FIRST, ALL, BEFORE].some((pattern) => pattern.test(question));
  // "first question" alone may be about anything; it must be about the asker.
  if (!asks || !/\b(?:i|my)\b/i.test(question)) return null;
  const [first] = earlier;
  if (first === undefined) return answer('This is your first question in this conversation.');
  if (FIRST.test(question)) return answer(`Your first question was: "${short(first)}"`);
  if (ALL.test(question))
    return answer(
      `You asked:\n${earlier
        .slice(-20)
        .map((text) => `- ${short(text)}`)
        .join('\n')}`,
    );
  return answer(`Before this, you asked: "${short(earlier.at(-1) ?? '')}"`);
}

function short(text: string): string {
  const line = text.trim().replace(/\s+/g, ' ');
  return line.length <= 500 ? line : `${line.slice(0, 500)}…`;
}
