/** The tables of a warehouse: found by name and by words, and what each is made of. */
import MiniSearch from 'minisearch';
import { indexForm, splitWords } from '../../knowledge/words.ts';
import type { Table } from './catalogue-file.ts';

/** Relatives in one answer and direction; and how many steps away they may be. */
const MAX_RELATIVES = 50;
const MAX_STEPS = 10;

export interface Relative {
  table: Table;
  /** 1: directly. */
  steps: number;
}

export interface Match {
  table: Table;
  /** Columns in whose names a word was found. */
  columns: string[];
}

export class DataCatalogue {
  /** In the order of the file. */
  readonly tables: readonly Table[];
  readonly #byName: ReadonlyMap<string, Table>;
  /** The names of the tables that are made of a table, by its name. */
  readonly #usedBy = new Map<string, string[]>();
  readonly #index: MiniSearch<{ id: number; name: string; columns: string; about: string }>;

  constructor(tables: readonly Table[]) {
    this.tables = tables;
    this.#byName = new Map(tables.map((table) => [table.name.toLowerCase(), table]));
    for (const { name, sources } of tables)
      for (const source of sources) {
        const key = source.toLowerCase();
        this.#usedBy.set(key, [...(this.#usedBy.get(key) ?? []), name]);
      }
    this.#index = new MiniSearch({
      fields: ['name', 'columns', 'about'],
      tokenize: splitWords,
      processTerm: indexForm,
      searchOptions: { boost: { name: 3, columns: 1.5 }, prefix: (term) => term.length > 2 },
    });
    this.#index.addAll(
      tables.map(({ name, type, description, owner, columns }, id) => ({
        id,
        name,
        columns: columns.map((column) => column.name).join(' '),
        about: [type, description, owner, ...columns.map((column) => column.description ?? '')].join('\n'),
      })),
    );
  }

  /** The types there are, in the order of the file. */
  get types(): string[] {
    return [...new Set(this.tables.map(({ type }) => type))];
  }

  /** Capitals make no difference. */
  find(name: string): Table | undefined {
    return this.#byName.get(name.toLowerCase());
  }

  /** Tables by words in their names, columns and descriptions, best first. */
  search(query: string, max: number): Match[] {
    const asked = new Set(splitWords(query).map(indexForm));
    asked.delete(null);
    return this.#index
      .search(query)
      .slice(0, max)
      .flatMap(({ id }) => {
        const table = this.tables[id];
        if (table === undefined) return [];
        const columns = table.columns.map(({ name }) => name);
        return [
          {
            table,
            columns: columns.filter((name) => splitWords(name).some((word) => asked.has(indexForm(word)))),
          },
        ];
      });
  }

  /** What a table is made of, nearest first. */
  upstream(table: Table): Relative[] {
    return this.#walk(table, ({ sources }) => sources);
  }

  /** What is made of it, nearest first. */
  downstream(table: Table): Relative[] {
    return this.#walk(table, ({ name }) => this.#usedBy.get(name.toLowerCase()) ?? []);
  }

  /** Breadth first; each table once, so that a circle ends. */
  #walk(from: Table, next: (table: Table) => readonly string[]): Relative[] {
    const seen = new Set([from]);
    const found: Relative[] = [];
    let level = [from];
    for (let steps = 1; steps <= MAX_STEPS && level.length > 0; steps += 1) {
      const following: Table[] = [];
      for (const name of level.flatMap(next)) {
        const table = this.find(name);
        if (table === undefined || seen.has(table)) continue;
        if (found.length >= MAX_RELATIVES) return found;
        seen.add(table);
        following.push(table);
        found.push({ table, steps });
      }
      level = following;
    }
    return found;
  }
}
