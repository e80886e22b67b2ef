/** The passages that a prompt holds. */

export interface Passage {
  source: string;
  title: string;
  text: string;
}

const OPEN = '<passage ';
const CLOSE = '</passage>';
/** A prompt holds about five passages; these bounds keep a hostile one from holding up the others. */
const MAX_PASSAGES = 100;
const MAX_CHARS = 256 * 1024;

/** Passages in order of appearance; what isn't well formed is skipped. */
export function readPassages(prompt: string): Passage[] {
  const passages: Passage[] = [];
  let chars = 0;
  for (let at = prompt.indexOf(OPEN); at !== -1; at = prompt.indexOf(OPEN, at)) {
    // Searching for the two ends by hand keeps the time linear, whatever the prompt.
    const headEnd = prompt.indexOf('>', at);
    const close = prompt.indexOf(CLOSE, at);
    if (headEnd === -1 || close === -1) break;
    const head = prompt.slice(at + OPEN.length, Math.min(headEnd, at + 2_000));
    const text = prompt.slice(headEnd + 1, close);
    chars += text.length;
    if (passages.length === MAX_PASSAGES || chars > MAX_CHARS) break;
    if (headEnd < close)
      passages.push({
        source: attribute(head, 'source'),
        title: attribute(head, 'title'),
        text: unescapeXml(text),
      });
    at = close + CLOSE.length;
  }
  return passages;
}

function attribute(head: string, name: string): string {
  return unescapeXml(new RegExp(`\\b${name}="([^"]*)"`).exec(head)?.[1] ?? '');
}

const ENTITIES: Record<string, string> = { lt: '<', gt: '>', quot: '"', apos: "'", '#39': "'", amp: '&' };

function unescapeXml(text: string): string {
  return text.replace(/&(lt|gt|quot|apos|#39|amp);/g, (_match, name: string) => ENTITIES[name] ?? '');
}
