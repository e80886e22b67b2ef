/** The texts of a conversation's files at one moment, searchable; once built they never change. */
import { FILE_TEXT_CHARS } from '@natter/proto';
import type { Passage } from './passage.ts';
import { PassageIndex } from './passage-index.ts';
import type { RetrievalQuery } from './retrieval-query.ts';
import { speaksOfFiles } from './speaks-of-files.ts';
import { splitDocument } from './split-document.ts';

export const FILE_TEXTS_LIMITS = {
  /** The newest files with a text that are searched; older ones are not. */
  files: 64,
  /** Of all of them; an index takes about ten bytes for each. The newest files are kept. */
  chars: 1_000_000,
} as const;

/** What a passage counts for at least, in characters: an index takes about 1 KB for the shortest one. */
const PASSAGE_CHARS = 100;
/** Passages of one file, so that none counts for more than the longest text; a usual one has 450. */
const FILE_PASSAGES = FILE_TEXT_CHARS / PASSAGE_CHARS;

const EVERYTHING = { folders: null };

export interface SearchableFile {
  id: string;
  name: string;
  /** What it counts for: its characters, more where its sections are very short. */
  chars: number;
  passages: readonly Passage[];
}

/** How far the streams behind the files were read. */
export interface FilePosition {
  /** In the bucket's stream of the index: the oldest file that is looked at. */
  firstFile: number;
  /** In that of the texts: the last one that was read. */
  lastText: number;
}

/** A file cut into passages; its name is their source, and like a heading above all others. */
export function searchableFile({
  id,
  name,
  text,
}: {
  id: string;
  name: string;
  text: string;
}): SearchableFile {
  const untitled = name.replace(/\.\w+$/, '');
  const passages = splitDocument(name, text)
    .slice(0, FILE_PASSAGES)
    .map((passage) => ({
      ...passage,
      title: (passage.title === untitled ? name : `${name} / ${passage.title}`).slice(0, 200),
    }));
  return { id, name, chars: Math.max(text.length, passages.length * PASSAGE_CHARS), passages };
}

/** What files count for together. */
export function charsOf(files: readonly SearchableFile[]): number {
  return files.reduce((sum, { chars }) => sum + chars, 0);
}

export class FileTexts {
  readonly position: FilePosition;
  /** Oldest first. */
  readonly files: readonly SearchableFile[];
  readonly #index: PassageIndex;

  /** Of `files`, oldest first, it takes the newest up to the limits. */
  static async build(files: readonly SearchableFile[], position: FilePosition): Promise<FileTexts> {
    const taken: SearchableFile[] = [];
    let chars = 0;
    for (const file of files.slice(-FILE_TEXTS_LIMITS.files).reverse()) {
      chars += file.chars;
      if (chars > FILE_TEXTS_LIMITS.chars) break;
      taken.unshift(file);
    }
    const index = await PassageIndex.build(taken.flatMap(({ passages }) => passages));
    return new FileTexts(taken, position, index);
  }

  private constructor(files: readonly SearchableFile[], position: FilePosition, index: PassageIndex) {
    this.files = files;
    this.position = position;
    this.#index = index;
  }

  get chars(): number {
    return charsOf(this.files);
  }

  /**
   * The `k` best passages, best first.
   *
   * "Sum up the file I uploaded" has no word of the file: where a question speaks of files, the
   * beginning of the newest one follows what was found.
   */
  search(query: RetrievalQuery, k: number): Passage[] {
    if (query.weights.size === 0) return [];
    const found = this.#index.search(query, EVERYTHING, k);
    if (!speaksOfFiles(query)) return found;
    const newest = this.files.at(-1)?.passages ?? [];
    return [...new Set([...found, ...newest.slice(0, k)])].slice(0, k);
  }
}
