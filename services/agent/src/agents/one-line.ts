/** Text from outside as part of one line: no breaks, no invisible signs, bounded. */

/** Control and format characters, line and paragraph separators; `\s` below takes the rest. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\u2028\u2029]/gu;

/** At most `maxChars` characters; a longer text ends with `…`. May be empty. */
export function oneLine(text: string, maxChars: number): string {
  const line = text
    .slice(0, 4 * maxChars)
    .replace(INVISIBLE, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  // By code points: half of a surrogate pair is no character.
  const signs = Array.from(line);
  return signs.length <= maxChars ? line : `${signs.slice(0, maxChars - 1).join('')}…`;
}
