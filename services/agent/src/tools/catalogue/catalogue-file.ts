/** Reads the file that describes a data catalogue. */
import { z } from 'zod';
import { readJsonFile } from '../../json-file.ts';
import { DataCatalogue } from './data-catalogue.ts';

const MAX_FILE_BYTES = 8 * 1_024 * 1_024;
const MAX_TABLES = 5_000;
const MAX_COLUMNS = 500;
const MAX_SOURCES = 100;
/** The model is told all of them with each request. */
const MAX_TYPES = 20;

const line = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^[^\p{Cc}]*$/u, 'must be a single line');

/** Other control characters take six characters each in a result. */
const text = (max: number) =>
  z
    .string()
    .max(max)
    .regex(/^(?:[^\p{Cc}]|[\n\t])*$/u, 'must not have control characters');

const Column = z.strictObject({
  name: line(128),
  /** As the warehouse calls it: BIGINT, VARCHAR(40). */
  type: line(64),
  description: text(1_000).optional(),
});

const Table = z.strictObject({
  name: line(128),
  /** FACT, DIMENSION, STAGING … */
  type: z.string().regex(/^[A-Z][A-Z0-9_]{0,31}$/, 'must be A-Z, then up to 31 of A-Z 0-9 _'),
  description: text(2_000),
  owner: line(128),
  columns: z.array(Column).min(1).max(MAX_COLUMNS),
  /** The tables it is made of; each is in the catalogue too. */
  sources: z.array(line(128)).max(MAX_SOURCES).default([]),
});
export type Table = z.infer<typeof Table>;

const CatalogueFile = z
  .strictObject({ tables: z.array(Table).min(1).max(MAX_TABLES) })
  .superRefine(({ tables }, context) => {
    const problem = (path: (string | number)[], message: string) =>
      context.addIssue({ code: 'custom', path: ['tables', ...path], message });
    const names = new Set<string>();
    for (const [at, { name }] of tables.entries()) {
      // Whoever asks doesn't care for capitals, so two names must not differ in them alone.
      if (names.has(name.toLowerCase())) problem([at, 'name'], `another table is called ${name} too`);
      names.add(name.toLowerCase());
    }
    for (const [at, { sources }] of tables.entries())
      for (const [nth, source] of sources.entries())
        if (!names.has(source.toLowerCase())) problem([at, 'sources', nth], `there is no table ${source}`);
    if (new Set(tables.map(({ type }) => type)).size > MAX_TYPES)
      problem([], `more than ${MAX_TYPES} types of tables`);
  });

/** Throws JsonFileError, which names the file and the field. */
export async function loadCatalogue(file: string): Promise<DataCatalogue> {
  const { tables } = await readJsonFile(file, CatalogueFile, MAX_FILE_BYTES);
  return new DataCatalogue(tables);
}
