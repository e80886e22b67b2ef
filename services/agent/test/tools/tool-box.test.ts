import { createLogger } from '@natter/runtime';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { PlainResult, type Tool, type ToolContext } from '../../src/tools/tool.ts';
import { createToolBox } from '../../src/tools/tool-box.ts';

const context: ToolContext = {
  run: 'r'.repeat(26),
  customerId: 'alice',
  now: new Date(2026, 0, 5, 12),
  log: createLogger('test', 'silent'),
};

const double: Tool<{ n: number }> = {
  name: 'double',
  description: 'Doubles a number.',
  arguments: z.strictObject({ n: z.number().max(1_000) }),
  call: async ({ n }) => {
    if (n === 13) throw new Error('internal detail');
    return { ok: true, result: 'x'.repeat(n) };
  },
};
const box = createToolBox([double]);

async function call(tool: string, args: string, allowed = ['double']) {
  return JSON.parse(await box.call({ id: 'c', tool, arguments: args }, allowed, context));
}

describe('a tool box', () => {
  it('declares the named tools as JSON Schema and leaves out the rest', () => {
    expect(box.declare(['double', 'other'])).toEqual([
      {
        name: 'double',
        description: 'Doubles a number.',
        parameters: {
          type: 'object',
          properties: { n: { type: 'number', maximum: 1_000 } },
          required: ['n'],
          additionalProperties: false,
        },
      },
    ]);
    expect(box.declare([])).toEqual([]);
  });

  it('answers a good call', async () => {
    expect(await call('double', '{"n":3}')).toEqual({ ok: true, result: 'xxx' });
  });

  it.each(['', '{', '[]', 'null', '{"n":"3"}', '{"n":3,"more":1}', '{"n":1001}'])(
    'refuses the arguments %j',
    async (args) => {
      expect(await call('double', args)).toMatchObject({ ok: false, reason: 'bad_arguments' });
    },
  );

  it('refuses a tool that the agent does not have', async () => {
    expect(await call('double', '{"n":1}', [])).toMatchObject({ reason: 'unknown_tool' });
    expect(await call('toString', '{}', ['toString'])).toMatchObject({ reason: 'unknown_tool' });
  });

  it('says that a tool which threw is out of order, without its reasons', async () => {
    const result = await call('double', '{"n":13}');
    expect(result).toMatchObject({ ok: false, reason: 'out_of_order' });
    expect(JSON.stringify(result)).not.toContain('internal detail');
  });

  it('gives a plain result out as it stands', async () => {
    const plain: Tool<{ n: number }> = { ...double, call: async () => new PlainResult([{ name: 'a' }]) };
    const request = { id: 'c', tool: 'double', arguments: '{"n":1}' };
    expect(await createToolBox([plain]).call(request, ['double'], context)).toBe('[{"name":"a"}]');
  });

  it('cuts a result at 8,000 characters', async () => {
    const long = { ...double, call: async () => ({ ok: true as const, text: 'x'.repeat(9_000) }) };
    const result = await createToolBox([long]).call(
      { id: 'c', tool: 'double', arguments: '{"n":1}' },
      ['double'],
      context,
    );
    expect(result).toHaveLength(8_000);
  });
});
