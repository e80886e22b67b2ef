/** The explorer agent of session-v1 with a catalogue of the operator's own. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Probe, type Stack, startStack } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reportFailures } from '../src/report-failures.ts';
import { askSession, expectWholeSession, openSession } from '../src/session-chat.ts';

const column = (name: string, type: string) => ({ name, type });
/** Tea, so that nothing of it can be of the sample. */
const CATALOGUE = {
  tables: [
    {
      name: 'stg_tea_harvest',
      type: 'STAGING',
      description: 'Leaves as they were weighed.',
      owner: 'Garden',
      columns: [column('garden', 'VARCHAR(40)'), column('grams', 'INTEGER')],
    },
    {
      name: 'fact_tea_cup',
      type: 'FACT',
      description: 'One row for each cup that was poured.',
      owner: 'Tea Room',
      columns: [column('cup_key', 'BIGINT'), column('steeped_seconds', 'INTEGER')],
      sources: ['stg_tea_harvest'],
    },
  ],
};

let stack: Stack;
let folder: string;
let probe: Probe;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'natter-catalogue-'));
  const file = join(folder, 'catalogue.json');
  writeFileSync(file, JSON.stringify(CATALOGUE));
  stack = await startStack({
    demo: { tokensPerSecond: 0, firstTokenMs: 0 },
    env: { NATTER_CATALOGUE_FILE: file },
  });
  probe = await openSession(stack.url(), 'tea');
});
afterAll(async () => {
  await probe?.close();
  await stack?.stop();
  if (folder) rmSync(folder, { recursive: true });
});
reportFailures(() => stack);

describe('the explorer', () => {
  it.each([
    {
      question: 'List all tables',
      tool: 'list_tables',
      result: [
        { name: 'stg_tea_harvest', type: 'STAGING' },
        { name: 'fact_tea_cup', type: 'FACT' },
      ],
      answer: 'fact_tea_cup (FACT)',
    },
    {
      question: 'Describe fact_tea_cup',
      tool: 'describe_table',
      result: expect.objectContaining({
        name: 'fact_tea_cup',
        owner: 'Tea Room',
        columns: [expect.objectContaining({ name: 'cup_key', type: 'BIGINT' }), expect.anything()],
      }),
      answer: 'Tea Room',
    },
    {
      question: 'search cup',
      tool: 'search_tables',
      result: [expect.objectContaining({ name: 'fact_tea_cup', type: 'FACT' })],
      answer: 'fact_tea_cup',
    },
    {
      question: 'lineage of fact_tea_cup',
      tool: 'table_lineage',
      result: expect.objectContaining({
        name: 'fact_tea_cup',
        upstream_tables: [{ name: 'stg_tea_harvest', type: 'STAGING', steps: 1 }],
        downstream_tables: [],
      }),
      answer: 'stg_tea_harvest',
    },
  ])(
    '[session/catalogue-tools] [session/catalogue-file] answers "$question" by $tool from the file, shown in a tool frame',
    async ({ question, tool, result, answer }) => {
      const answered = await askSession(probe, question);
      expectWholeSession(answered, question);
      expect(answered.tools.map(({ tool_name }) => tool_name)).toEqual([tool]);
      expect(answered.tools[0]).toEqual({ type: 'tool', content: expect.any(String), tool_name: tool });
      expect(JSON.parse(answered.tools[0].content)).toEqual(result);
      expect(answered.end.content).toContain(answer);
    },
  );

  it('[session/catalogue-file] knows nothing of the sample', async () => {
    const { tools, end } = await askSession(probe, 'Describe fact_bs_purchase_order');
    expect(JSON.parse(tools[0].content)).toMatchObject({ ok: false, reason: 'unknown_table' });
    expect(end.content).toContain('no table called fact_bs_purchase_order');
  });
});
