/** What the people of a conversation are called towards the model. */
import type { Question } from './answer.ts';
import { oneLine } from './one-line.ts';

const MAX_CHARS = 64;

/**
 * A name for each person by `sub`, or null where only one person writes.
 *
 * People choose their names: a line break in one would look like somebody else's message, and so
 * would a colon. Two people of one name are told apart by a number, in the order in which they spoke.
 */
export function speakerNames({ history, sub, name }: Question): Map<string, string> | null {
  const people = new Map<string, string | null>();
  for (const message of history) if (message.role === 'user') people.set(message.sub, message.name);
  people.set(sub, name);
  if (people.size < 2) return null;
  const names = new Map<string, string>();
  const taken = new Set<string>();
  for (const [each, called] of people) {
    const base = clean(called ?? '') || clean(each) || 'Somebody';
    let unique = base;
    for (let nth = 2; taken.has(unique.toLowerCase()); nth += 1) unique = `${base} (${nth})`;
    taken.add(unique.toLowerCase());
    names.set(each, unique);
  }
  return names;
}

function clean(name: string): string {
  return oneLine(name.replaceAll(':', ' '), MAX_CHARS);
}
