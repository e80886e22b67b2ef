/** What this model calls a token: up to 8 characters of a word, with the space before it. */

/** English has about 4.5 letters a word; longer words make several pieces, as in real models. */
const PIECE = /\s*\S{1,8}|\s+/gu;

/** Pieces whose concatenation is the text. */
export function splitTokens(text: string): string[] {
  return text.match(PIECE) ?? [];
}

export function countTokens(text: string): number {
  return splitTokens(text).length;
}
