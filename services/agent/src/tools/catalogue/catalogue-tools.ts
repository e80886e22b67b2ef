/** The tools by which a model explores a data catalogue. */
import { z } from 'zod';
import { PlainResult, type Tool, type ToolResult } from '../tool.ts';
import { MAX_RESULT_CHARS } from '../tool-box.ts';
import type { Table } from './catalogue-file.ts';
import type { DataCatalogue, Relative } from './data-catalogue.ts';

const MAX_FOUND = 20;
/** Characters of a description in a list. */
const MAX_ABOUT = 200;
const MAX_SIMILAR = 5;

const table = z.string().min(1).max(128).describe('Name of the table.');
const TableArguments = z.strictObject({ table });
const SearchArguments = z.strictObject({ query: z.string().min(1).max(200).describe('What to look for.') });

/** `list_tables`, `describe_table`, `search_tables` and `table_lineage` of one catalogue. */
export function createCatalogueTools(catalogue: DataCatalogue) {
  const [first = '', ...others] = catalogue.types;
  const ListArguments = z.strictObject({
    type: z
      .enum([first, ...others])
      .optional()
      .describe('Only tables of this type.'),
    after: z.string().max(128).optional().describe('Go on after the table of this name.'),
  });

  const list: Tool<z.infer<typeof ListArguments>> = {
    name: 'list_tables',
    description:
      'Lists the tables of the data catalogue with their types. Long lists come in parts: call it again with the last name as `after`, until nothing comes.',
    arguments: ListArguments,
    async call({ type, after }) {
      const from = after === undefined ? 0 : catalogue.tables.indexOf(catalogue.find(after) as Table) + 1;
      if (after !== undefined && from === 0) return unknown(catalogue, after);
      const listed = catalogue.tables.slice(from).filter((each) => type === undefined || each.type === type);
      return new PlainResult(fitting(listed.map(brief)));
    },
  };

  const describe: Tool<z.infer<typeof TableArguments>> = {
    name: 'describe_table',
    description: 'The description, owner and columns of one table.',
    arguments: TableArguments,
    async call(args) {
      const found = catalogue.find(args.table);
      if (found === undefined) return unknown(catalogue, args.table);
      const { name, type, description, owner, columns } = found;
      const about = { name, type, description, owner };
      const shown = fitting(columns, JSON.stringify(about).length + 50);
      const left = columns.length - shown.length;
      return new PlainResult({ ...about, columns: shown, ...(left === 0 ? {} : { columns_left_out: left }) });
    },
  };

  const search: Tool<z.infer<typeof SearchArguments>> = {
    name: 'search_tables',
    description:
      'Finds tables by words in their names, columns, owners and descriptions, the best first. For what is known about a topic.',
    arguments: SearchArguments,
    async call({ query }) {
      const found = catalogue.search(query, MAX_FOUND).map((match) => ({
        ...brief(match.table),
        description: match.table.description.slice(0, MAX_ABOUT),
        ...(match.columns.length === 0 ? {} : { columns: match.columns.slice(0, 10) }),
      }));
      return new PlainResult(fitting(found));
    },
  };

  const lineage: Tool<z.infer<typeof TableArguments>> = {
    name: 'table_lineage',
    description:
      'The lineage of one table: the tables it comes from (upstream), and those that depend on it (downstream), nearest first.',
    arguments: TableArguments,
    async call(args) {
      const found = catalogue.find(args.table);
      if (found === undefined) return unknown(catalogue, args.table);
      const half = MAX_RESULT_CHARS / 2;
      return new PlainResult({
        ...brief(found),
        upstream_tables: fitting(catalogue.upstream(found).map(related), half),
        downstream_tables: fitting(catalogue.downstream(found).map(related), half),
      });
    },
  };

  return [list, describe, search, lineage] as const;
}

function brief({ name, type }: Table) {
  return { name, type };
}

function related({ table: { name, type }, steps }: Relative) {
  return { name, type, steps };
}

function unknown(catalogue: DataCatalogue, name: string): ToolResult {
  const similar = catalogue.search(name, MAX_SIMILAR).map((match) => match.table.name);
  return {
    ok: false,
    reason: 'unknown_table',
    message: `There is no table called ${name}.`,
    ...(similar.length === 0 ? {} : { similar }),
  };
}

/** As many as fit into a result next to `reserved` characters: a cut one would be no JSON. */
function fitting<T>(all: readonly T[], reserved = 0): T[] {
  let room = MAX_RESULT_CHARS - 2 - reserved;
  const fits: T[] = [];
  for (const each of all) {
    room -= JSON.stringify(each).length + 1;
    if (room < 0) break;
    fits.push(each);
  }
  return fits;
}
