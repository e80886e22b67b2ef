import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, loadConfig } from '@natter/runtime';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { loadCatalogue } from '../../../src/tools/catalogue/catalogue-file.ts';
import { createCatalogueTools } from '../../../src/tools/catalogue/catalogue-tools.ts';
import { CATALOGUE_SETTINGS, catalogueFile } from '../../../src/tools/catalogue/settings.ts';
import { createToolBox, type ToolBox } from '../../../src/tools/tool-box.ts';

const context = { run: 'r', customerId: 'c', now: new Date(0), log: createLogger('test', 'silent') };

async function use(box: ToolBox, tool: string, args: object = {}) {
  const call = { id: '1', tool, arguments: JSON.stringify(args) };
  return JSON.parse(await box.call(call, [...box.names], context));
}

describe('the sample catalogue', () => {
  let box: ToolBox;
  beforeAll(async () => {
    const file = catalogueFile(loadConfig(CATALOGUE_SETTINGS, {}).config);
    box = createToolBox(createCatalogueTools(await loadCatalogue(file)));
  });

  it('lists its tables as a plain array, in the order of the file', async () => {
    const tables = await use(box, 'list_tables');
    expect(tables.slice(0, 2)).toEqual([
      { name: 'fact_bs_purchase_order', type: 'FACT' },
      { name: 'dimv_bs_supplier', type: 'DIMENSION' },
    ]);
    expect(tables).toHaveLength(16);
    const facts = await use(box, 'list_tables', { type: 'FACT' });
    expect(facts.map(({ type }: { type: string }) => type)).toEqual(['FACT', 'FACT', 'FACT']);
    const later = await use(box, 'list_tables', { after: 'FACT_bs_purchase_order' });
    expect(later[0].name).toBe('dimv_bs_supplier');
  });

  it('tells the model which types there are', () => {
    expect(box.declare(['list_tables'])[0]?.parameters).toMatchObject({
      properties: { type: { enum: ['FACT', 'DIMENSION', 'AGGREGATE', 'STAGING'] } },
    });
  });

  it('describes a table, whatever its capitals', async () => {
    expect(await use(box, 'describe_table', { table: 'DIMV_BS_supplier' })).toMatchObject({
      name: 'dimv_bs_supplier',
      type: 'DIMENSION',
      owner: 'Procurement Analytics',
      columns: expect.arrayContaining([{ name: 'country', type: 'CHAR(2)', description: 'ISO 3166-1.' }]),
    });
  });

  it('says that a table does not exist, and which are like it', async () => {
    for (const tool of ['describe_table', 'table_lineage'])
      expect(await use(box, tool, { table: 'supplier' })).toMatchObject({
        ok: false,
        reason: 'unknown_table',
        similar: expect.arrayContaining(['dimv_bs_supplier']),
      });
    expect(await use(box, 'list_tables', { after: '__proto__' })).toMatchObject({ reason: 'unknown_table' });
  });

  it('finds tables by words of names, columns and descriptions', async () => {
    const found = await use(box, 'search_tables', { query: 'suppliers' });
    expect(found[0]).toMatchObject({ name: 'dimv_bs_supplier', type: 'DIMENSION' });
    expect(found[0].columns).toContain('supplier_key');
    expect((await use(box, 'search_tables', { query: 'late deliveries' }))[0].name).toBe(
      'agg_bs_supplier_performance',
    );
    expect(await use(box, 'search_tables', { query: 'volcano' })).toEqual([]);
  });

  it('follows the lineage both ways, nearest first', async () => {
    const { upstream_tables, downstream_tables } = await use(box, 'table_lineage', {
      table: 'fact_bs_goods_receipt',
    });
    expect(upstream_tables.slice(0, 3)).toEqual([
      { name: 'stg_erp_goods_receipt', type: 'STAGING', steps: 1 },
      { name: 'fact_bs_purchase_order', type: 'FACT', steps: 1 },
      { name: 'stg_erp_purchase_order', type: 'STAGING', steps: 2 },
    ]);
    expect(downstream_tables).toEqual([{ name: 'agg_bs_supplier_performance', type: 'AGGREGATE', steps: 1 }]);
  });
});

describe('a catalogue file', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'natter-catalogue-'));
  });
  afterEach(() => rm(dir, { recursive: true }));

  const table = (name: string, extra: object = {}) => ({
    name,
    type: 'FACT',
    description: 'x',
    owner: 'o',
    columns: [{ name: 'id', type: 'INTEGER' }],
    ...extra,
  });
  async function load(content: unknown) {
    const file = join(dir, 'tables.json');
    await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
    return createToolBox(createCatalogueTools(await loadCatalogue(file)));
  }

  it('may have lineage in a circle', async () => {
    const box = await load({ tables: [table('a', { sources: ['b'] }), table('b', { sources: ['A'] })] });
    const other = { name: 'b', type: 'FACT', steps: 1 };
    expect(await use(box, 'table_lineage', { table: 'a' })).toEqual({
      name: 'a',
      type: 'FACT',
      upstream_tables: [other],
      downstream_tables: [other],
    });
  });

  it('with thousands of tables is listed in parts, each whole JSON', async () => {
    const names = Array.from({ length: 1_000 }, (_, n) => `${'t'.repeat(100)}${n}`);
    const box = await load({ tables: names.map((name) => table(name)) });
    const listed: string[] = [];
    for (let after: string | undefined; listed.length < 1_001; after = listed.at(-1)) {
      const part = await use(box, 'list_tables', after === undefined ? {} : { after });
      if (part.length === 0) break;
      listed.push(...part.map(({ name }: { name: string }) => name));
    }
    expect(listed).toEqual(names);
  });

  it('with a wide table says how many columns are left out', async () => {
    const columns = Array.from({ length: 500 }, (_, n) => ({
      name: `c${n}`,
      type: 'X',
      description: 'y'.repeat(100),
    }));
    const box = await load({ tables: [table('wide', { columns, description: '"\n'.repeat(1_000) })] });
    const shown = await use(box, 'describe_table', { table: 'wide' });
    expect(shown.columns.length).toBeGreaterThan(10);
    expect(shown.columns.length + shown.columns_left_out).toBe(500);
  });

  it.each<[string, unknown, string]>([
    ['no JSON', '{', 'no JSON'],
    ['no tables', { tables: [] }, 'tables'],
    ['an unknown field', { tables: [table('a', { colums: [] })] }, 'tables\\.0.*colums'],
    ['a table without columns', { tables: [table('a', { columns: [] })] }, 'tables\\.0\\.columns'],
    ['a wrong type', { tables: [table('a', { type: 'fact' })] }, 'tables\\.0\\.type'],
    ['one name twice', { tables: [table('a'), table('A')] }, 'tables\\.1\\.name'],
    ['an unknown source', { tables: [table('a', { sources: ['z'] })] }, 'tables\\.0\\.sources\\.0.*z'],
    ['a name of two lines', { tables: [table('a\nb')] }, 'tables\\.0\\.name'],
    [
      'too many types',
      { tables: Array.from({ length: 21 }, (_, n) => table(`t${n}`, { type: `T${n}` })) },
      '20 types',
    ],
    ['too many tables', { tables: Array.from({ length: 5_001 }, (_, n) => table(`t${n}`)) }, 'tables: '],
    ['a huge file', ' '.repeat(9 * 1_024 * 1_024), 'larger than 8192 KiB'],
  ])('is refused for %s, and file and field are named', async (_name, content, field) => {
    await expect(load(content)).rejects.toMatchObject({
      code: 'JSON_FILE',
      message: expect.stringMatching(new RegExp(`tables\\.json: .*${field}`)),
    });
  });
});
