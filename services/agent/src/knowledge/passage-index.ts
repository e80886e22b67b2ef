/** A BM25 index over passages; once built it never changes. */
import MiniSearch from 'minisearch';
import { allows, type KnowledgeFilter, type Passage } from './passage.ts';
import type { RetrievalQuery } from './retrieval-query.ts';
import { indexForm, splitWords } from './words.ts';

/** Documents between two pauses, so that tokens go on flowing while an index is built. */
const BUILD_CHUNK = 50;

export class PassageIndex {
  readonly #search: MiniSearch<Passage & { id: number }>;
  readonly #passages: readonly Passage[];

  /** Builds in slices; other work of the process goes on between them. */
  static async build(passages: readonly Passage[]): Promise<PassageIndex> {
    const search = new MiniSearch<Passage & { id: number }>({
      fields: ['title', 'text'],
      tokenize: splitWords,
      processTerm: indexForm,
      searchOptions: { boost: { title: 2 }, combineWith: 'OR' },
    });
    await search.addAllAsync(
      passages.map((passage, id) => ({ id, ...passage })),
      { chunkSize: BUILD_CHUNK },
    );
    return new PassageIndex(search, passages);
  }

  private constructor(search: MiniSearch<Passage & { id: number }>, passages: readonly Passage[]) {
    this.#search = search;
    this.#passages = passages;
  }

  get size(): number {
    return this.#passages.length;
  }

  /** The `k` best passages, best first; fewer or none where nothing matches. */
  search(query: RetrievalQuery, filter: KnowledgeFilter, k: number): Passage[] {
    const weights = query.weights;
    const hits = this.#search.search([...weights.keys()].join(' '), {
      tokenize: (text) => text.split(' '),
      // The words of a query are in their indexed form already.
      processTerm: (term) => term,
      boostTerm: (term) => weights.get(term) ?? 1,
      // A typing mistake in a long word; short ones would meet other words.
      fuzzy: (term) => (term.length > 5 && !/\d/.test(term) ? 1 : false),
      filter: ({ id }) => allows(filter, this.#passages[id]?.source ?? ''),
    });
    return hits.slice(0, k).flatMap(({ id }) => this.#passages[id] ?? []);
  }
}
