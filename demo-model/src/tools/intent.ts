/** What a question or a tool wants to do: look something up, make, cancel or change it. */
import { stem, words } from '../answer/words.ts';

export type Intent = 'read' | 'make' | 'cancel' | 'change';

/** First words of tools' names. */
const VERBS: Record<Intent, Set<string>> = {
  read: verbs('find list get show search look view fetch check read see display lookup query'),
  make: verbs('book make create schedule reserve arrange add plan order submit'),
  cancel: verbs('cancel delete remove drop'),
  change: verbs('move reschedule change update postpone edit modify'),
};

/** In questions; "change" only as a command, since "an oil change" is a thing. */
const CUES: [Intent, RegExp][] = [
  [
    'read',
    /\b(?:which|what|when|list|show|find|search|see|view|look|display|do i have|have i|are there|is there)\b/i,
  ],
  ['make', /\b(?:book|make|create|schedule|reserve|arrange|add|order)\b/i],
  ['cancel', /\b(?:cancel|delete|remove)\b/i],
  ['change', /(?:^|please |\bto |\byou )change\b|\b(?:move|reschedule|update|postpone)\b/i],
];

function verbs(list: string): Set<string> {
  return new Set(list.split(' ').map(stem));
}

export function isVerb(stemmed: string): boolean {
  return Object.values(VERBS).some((set) => set.has(stemmed));
}

/** By the cue that comes first. */
export function intentOfQuestion(question: string): Intent | null {
  let first: { intent: Intent; at: number } | null = null;
  for (const [intent, cue] of CUES) {
    const at = cue.exec(question)?.index;
    if (at !== undefined && (first === null || at < first.at)) first = { intent, at };
  }
  return first?.intent ?? null;
}

/** By the verb in its name, else by the first word of its description. */
export function intentOfTool(name: string, description: string): Intent | null {
  const candidates = [...words(name.replace(/_/g, ' ')), ...words(description.slice(0, 200)).slice(0, 1)];
  for (const candidate of candidates)
    for (const [intent, set] of Object.entries(VERBS)) if (set.has(stem(candidate))) return intent as Intent;
  return null;
}
