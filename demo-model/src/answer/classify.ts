/** Classification: picks the label whose description best fits the question. */
import { ApiError } from '../http/api-error.ts';
import type { ResponseFormat } from '../wire/chat-request.ts';
import type { Conversation } from './conversation.ts';
import { bestLikeness, contentStems } from './words.ts';

/** Each question further back counts for this much of the one after it. */
const EARLIER_WEIGHT = 0.3;
const QUESTIONS = 4;

/**
 * A JSON object by the schema: the first property with an `enum` gets the label, numbers get the
 * confidence (the label's share of all scores, 0 to 1), other strings stay empty.
 */
export function classify(
  format: ResponseFormat & { type: 'json_schema' },
  conversation: Conversation,
): string {
  const properties = Object.entries(format.json_schema.schema.properties);
  const target = properties.find(([, property]) => property.type === 'string' && property.enum?.length);
  const labels = target?.[1].enum;
  if (target === undefined || labels === undefined)
    throw new ApiError({
      status: 400,
      code: 'unsupported_schema',
      message: 'The demo model answers only schemas with a string property that has an enum.',
      param: 'response_format',
    });
  const { label, confidence } = pick(labels, conversation);
  const fields = properties.map(([name, { type }]) => {
    if (name === target[0]) return [name, label];
    if (type === 'number') return [name, confidence];
    return [name, type === 'boolean' ? false : type === 'integer' ? 0 : type === 'array' ? [] : ''];
  });
  return JSON.stringify(Object.fromEntries(fields));
}

function pick(labels: string[], conversation: Conversation): { label: string; confidence: number } {
  const described = descriptions(conversation.instructions, new Set(labels));
  const stems = labels.map(
    (label) => new Set(contentStems(`${label.replace(/[_-]/g, ' ')} ${described.get(label) ?? ''}`)),
  );
  const scores = labels.map(() => 0);
  let weight = 1;
  for (const question of conversation.questions.slice(-QUESTIONS).reverse()) {
    for (const term of new Set(contentStems(question.slice(0, 2_000)).slice(0, 64))) {
      const likenesses = stems.map((set) => bestLikeness(term, set));
      const holders = likenesses.filter((value) => value > 0).length;
      // A word that every description holds decides nothing.
      const rarity = Math.log(1 + (labels.length - holders) / Math.max(holders, 1));
      for (const [at, value] of likenesses.entries())
        scores[at] = (scores[at] ?? 0) + weight * rarity * value;
    }
    weight *= EARLIER_WEIGHT;
  }
  const best = Math.max(...scores);
  const total = scores.reduce((sum, score) => sum + score, 0);
  return {
    label: labels[scores.indexOf(best)] ?? '',
    confidence: total === 0 ? 0 : Math.round((best / total) * 100) / 100,
  };
}

/** Lines `- label: description` of the instructions. */
function descriptions(instructions: string, labels: Set<string>): Map<string, string> {
  const found = new Map<string, string>();
  for (const line of instructions.split('\n')) {
    const match = /^\s{0,20}[-*]\s+([^:]{1,220}):(.*)$/.exec(line.slice(0, 4_000));
    const label = match?.[1]?.replace(/[`"*]/g, '').trim();
    if (label !== undefined && labels.has(label)) found.set(label, (match?.[2] ?? '').slice(0, 500));
  }
  return found;
}
