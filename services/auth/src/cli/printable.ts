/**
 * What a gateway said, for a terminal: control characters and marks of direction escaped, as JSON does it.
 *
 * Whoever answers at --url could else move the cursor, hide what it said, or make the terminal answer.
 */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
