/** The explorer as it is shipped, with the sample catalogue, on the demo model. */
import { fileURLToPath } from 'node:url';
import type { RunStep } from '@natter/proto';
import { createLogger, loadConfig } from '@natter/runtime';
import { ServiceProcess } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadAgents } from '../../src/agents/agent-catalogue.ts';
import type { AnswerEvent, Orchestrator } from '../../src/agents/answer.ts';
import { createModels } from '../../src/agents/model-choice.ts';
import { createOrchestrator } from '../../src/agents/orchestrator.ts';
import { agentsDir } from '../../src/agents/settings.ts';
import { AGENT_SETTINGS } from '../../src/config.ts';
import type { Knowledge } from '../../src/knowledge/knowledge.ts';
import { createOpenAiModel } from '../../src/model/openai/openai-model.ts';
import { loadPrices } from '../../src/model/prices.ts';
import { modelProviders } from '../../src/model/providers.ts';
import { pricesFile } from '../../src/model/settings.ts';
import { loadCatalogue } from '../../src/tools/catalogue/catalogue-file.ts';
import { createCatalogueTools } from '../../src/tools/catalogue/catalogue-tools.ts';
import { catalogueFile } from '../../src/tools/catalogue/settings.ts';
import { createToolBox } from '../../src/tools/tool-box.ts';

const knowledge: Knowledge = {
  size: { files: 0, passages: 0 },
  search: () => [],
  reload: async () => undefined,
  close: async () => undefined,
};

let demo: ServiceProcess;
let orchestrator: Orchestrator;
beforeAll(async () => {
  demo = await ServiceProcess.start({
    name: 'demo model',
    entry: fileURLToPath(new URL('../../../../demo-model/src/main.ts', import.meta.url)),
    env: { ...process.env, DEMO_MODEL_TOKENS_PER_SECOND: '0', DEMO_MODEL_FIRST_TOKEN_MS: '0' },
  });
  const { config } = loadConfig(AGENT_SETTINGS, {
    OPENAI_BASE_URL: `http://127.0.0.1:${demo.ports.http}/v1`,
    NATTER_MODEL: 'natter-demo',
    NATTER_ALLOWED_MODELS: 'gpt-4',
  });
  const providers = modelProviders(config);
  if (providers === null) throw new Error('no provider');
  const tools = createToolBox(createCatalogueTools(await loadCatalogue(catalogueFile(config))));
  const names = new Set([...tools.names, 'find_appointments', 'book_appointment']);
  orchestrator = createOrchestrator({
    models: createModels(providers, config.allowedModels, createOpenAiModel),
    prices: await loadPrices(pricesFile(config)),
    clientMaxTokens: config.clientMaxTokens,
    agents: await loadAgents(agentsDir(config), names),
    knowledge,
    files: { of: async () => null },
    tools,
  });
}, 60_000);
afterAll(() => demo?.stop());

async function ask(text: string, options = {}) {
  const events: AnswerEvent[] = [];
  const question = {
    conversation: 'a.b',
    run: 'a'.repeat(26),
    text,
    sub: 'ann',
    name: null,
    options: { agent: 'explorer', ...options },
    history: [],
    customerId: 'ann',
    published: { steps: new Set<RunStep>(), text: '' },
    traceparent: '00-11111111111111111111111111111111-2222222222222222-01',
    signal: new AbortController().signal,
    log: createLogger('test', 'silent'),
  };
  const metadata = await orchestrator.answer(question, (event) => void events.push(event));
  return {
    text: events.map((event) => (event.type === 'text' ? event.text : '')).join(''),
    tools: events.filter((event) => event.type === 'tool'),
    metadata,
  };
}

describe('the explorer', () => {
  it('lists all tables from what the tool returned', async () => {
    const { text, tools, metadata } = await ask('List all tables');
    expect(tools).toHaveLength(1);
    expect(tools[0]).toMatchObject({ tool: 'list_tables' });
    expect(JSON.parse(tools[0]?.result ?? '')).toHaveLength(16);
    expect(tools[0]?.result).toMatch(/^\[\{"name":"fact_bs_purchase_order","type":"FACT"\},/);
    expect(text).toMatch(
      /^Here are the available tables:\n\n1\. fact_bs_purchase_order \(FACT\)\n2\. dimv_bs_supplier \(DIMENSION\)\n3\. /,
    );
    expect(metadata).toMatchObject({ agent: 'explorer', sources: [], model: 'natter-demo' });
    expect(metadata.confidence).toBeGreaterThan(0.9);
  });

  it.each([
    ['describe fact_bs_purchase_order', 'describe_table', 'Owner: Procurement Analytics.'],
    ['search supplier', 'search_tables', '1. dimv_bs_supplier (DIMENSION)'],
    ['lineage of fact_bs_purchase_order', 'table_lineage', '- stg_erp_purchase_order (STAGING)'],
    ['What depends on dimv_bs_supplier?', 'table_lineage', 'fact_bs_purchase_order (FACT)'],
    ['describe no_such_table', 'describe_table', 'There is no table called no_such_table'],
  ])('answers %j by %s', async (question, tool, part) => {
    const { text, tools } = await ask(question);
    expect(tools).toMatchObject([{ tool }]);
    expect(text).toContain(part);
  });

  it('is priced by the model that a turn names', async () => {
    const { metadata } = await ask('List all tables');
    const { metadata: dear } = await ask('List all tables', { model: 'gpt-4', provider: 'openai' });
    expect(dear.model).toBe('gpt-4');
    expect(metadata.costUsd).toBeGreaterThan(0);
    expect(dear.costUsd).toBeGreaterThan(metadata.costUsd ?? 0);
  });
});
