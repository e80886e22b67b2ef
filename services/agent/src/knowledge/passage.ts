/** A piece of a knowledge file, small enough that several fit into a prompt. */

export interface Passage {
  /** Path of the file relative to the knowledge folder, with `/`. */
  source: string;
  /** Headings above it, outermost first, joined by ` / `; the file's name where it has none. */
  title: string;
  text: string;
}

/** Which knowledge an agent may use: files in these folders and their subfolders; null is all. */
export interface KnowledgeFilter {
  folders: readonly string[] | null;
}

/** Whether the filter lets a source through. */
export function allows(filter: KnowledgeFilter, source: string): boolean {
  return filter.folders === null || filter.folders.some((folder) => source.startsWith(`${folder}/`));
}

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Passages as they stand in a system prompt, each in an element of its own. */
export function passagesAsXml(passages: readonly Passage[]): string {
  return passages
    .map(
      ({ source, title, text }) =>
        `<passage source="${escapeXml(source)}" title="${escapeXml(title)}">\n${escapeXml(text)}\n</passage>`,
    )
    .join('\n');
}

/** A text may hold `</passage>`; escaped, it can't pretend to be the prompt around it. */
export function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => ESCAPES[sign] ?? sign);
}
