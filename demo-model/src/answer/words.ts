/** Words of a text as search sees them: lower case, without filler words, stemmed. */

const WORD = /\p{N}+(?:[.,]\p{N}+)*|\p{L}+/gu;

/** Filler words; the car, too, since a knowledge base is about one thing and each part speaks of it. */
const FILLERS = new Set(
  (
    'a about after ai all also am an and any anything are as ask at be because been before being but by can car ' +
    'could d did do does done for from get give go got had has have having he hello help hey hi how i if in ' +
    'into is it its just know let like ll m may me mean mine more much many must my need no not now of off oh ok ' +
    'on one only or other our ours out over please re s say shall she should so some such t tell than thank ' +
    'thanks that the their them then there these they thing things this those to too up us use ve vehicle very want ' +
    'was we were what when where which who whom whose why will with would yes you your yours'
  ).split(' '),
);

export function words(text: string): string[] {
  return text.toLowerCase().match(WORD) ?? [];
}

export function isFiller(word: string): boolean {
  return FILLERS.has(word);
}

/** Stems of the words that carry meaning, in order, with repeats. */
export function contentStems(text: string): string[] {
  return words(text)
    .filter((word) => !FILLERS.has(word))
    .map(stem);
}

/** English endings off, lightly: plural, -ing, -ed, final e. */
export function stem(word: string): string {
  let root = word;
  if (root.length > 4 && root.endsWith('ies')) root = `${root.slice(0, -3)}y`;
  else if (root.length > 4 && root.endsWith('sses')) root = root.slice(0, -2);
  else if (root.length > 3 && /[^sui]s$/.test(root)) root = root.slice(0, -1);
  const shorter = /[^e]ed$/.test(root) ? root.slice(0, -2) : root.endsWith('ing') ? root.slice(0, -3) : root;
  if (shorter !== root && shorter.length > 2 && /[aeiouy]/.test(shorter))
    root = shorter.replace(/([^aeioulsz])\1$/, '$1');
  return root.length > 4 && root.endsWith('e') ? root.slice(0, -1) : root;
}

/** How alike two stems are: 1 same, 0.7 one begins with the other ("weigh", "weight"), else 0. */
export function likeness(a: string, b: string): number {
  if (a === b) return 1;
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  return short.length >= 5 && long.length - short.length <= 4 && long.startsWith(short) ? 0.7 : 0;
}

/** The best likeness of `term` to any of `stems`. */
export function bestLikeness(term: string, stems: Iterable<string>): number {
  let best = 0;
  for (const candidate of stems) {
    const value = likeness(term, candidate);
    if (value === 1) return 1;
    if (value > best) best = value;
  }
  return best;
}
