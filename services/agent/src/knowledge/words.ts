/** Words of a text that carry its meaning, in one form for each, so that texts can be compared. */

/** Letters and digits of any script; a number keeps its decimals: `E4`, `2.4`, `5,500`, `10:00`. */
const WORD = /[\p{L}\p{N}]+(?:[.,:]\p{N}+)*/gu;

const STOP_WORDS: ReadonlySet<string> = new Set(
  `a about above after again all also am an and any are as at be because been before being below
  between both but by can could did do does doing down during each few for from further had has have
  having he her here hers him his how i if in into is it its itself just let ll may me might more most
  must my no nor not now of off on once only or other our out over own per please re s same shall she
  should so some such t than that the their them then there these they this those through to too under
  until up us ve very was we were what when where which while who whom why will with would you your`.split(
    /\s+/,
  ),
);

/** Every word in lower case and in one form; with repeats, in order. */
export function words(text: string): string[] {
  return (text.toLowerCase().match(WORD) ?? []).map(stem);
}

/** The words that carry meaning, each once. */
export function contentWords(text: string): Set<string> {
  const found = new Set<string>();
  for (const word of text.toLowerCase().match(WORD) ?? []) if (isContent(word)) found.add(stem(word));
  return found;
}

/** Form of a word under which it is indexed and looked up, or null for one without meaning. */
export function indexForm(word: string): string | null {
  const lower = word.toLowerCase();
  return isContent(lower) ? stem(lower) : null;
}

/** Splits a text into words as they stand. */
export function splitWords(text: string): string[] {
  return text.match(WORD) ?? [];
}

function isContent(word: string): boolean {
  // A single letter means nothing in English, but a single 油 does.
  return /[\p{N}\u0100-\uffff]/u.test(word) || (word.length > 1 && !STOP_WORDS.has(word));
}

/**
 * Takes English endings off, so that `tyres`, `changing` and `pressures` meet `tyre`, `change`
 * and `pressure`. Coarser than Porter's algorithm: both sides get the same treatment, and only
 * equality counts. Words with digits lose nothing but thousands separators.
 */
function stem(word: string): string {
  if (/\p{N}/u.test(word)) return word.replace(/,(?=\p{N}{3}(?:\D|$))/gu, '');
  if (word.length < 4) return word;
  let root = word;
  if (root.endsWith('ies')) root = `${root.slice(0, -3)}y`;
  else if (root.endsWith('s') && !/(ss|us|is)$/.test(root)) root = root.slice(0, -1);
  if (root.length > 5 && root.endsWith('ing')) root = undouble(root.slice(0, -3));
  else if (root.length > 4 && root.endsWith('ed')) root = undouble(root.slice(0, -2));
  return root.length > 3 && root.endsWith('e') ? root.slice(0, -1) : root;
}

function undouble(root: string): string {
  return /([bdgmnprt])\1$/.test(root) ? root.slice(0, -1) : root;
}
