/**
 * The text with control characters and marks of direction escaped, as JSON does it.
 *
 * Lines come from anybody who may write some, and hold what people call their files: one could move
 * the cursor, hide what others said, or make a terminal answer.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu, (character) => {
    if (character === '\n') return '\\n';
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
