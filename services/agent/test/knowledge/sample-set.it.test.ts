import { createLogger, loadConfig } from '@natter/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadAgents } from '../../src/agents/agent-catalogue.ts';
import { createLexicalRouter } from '../../src/agents/lexical-router.ts';
import { AGENTS_SETTINGS, agentsDir } from '../../src/agents/settings.ts';
import { type Knowledge, openKnowledge } from '../../src/knowledge/knowledge.ts';
import { retrievalQuery } from '../../src/knowledge/retrieval-query.ts';
import { KNOWLEDGE_SETTINGS, knowledgeDir } from '../../src/knowledge/settings.ts';

let knowledge: Knowledge;
let agents: Awaited<ReturnType<typeof loadAgents>>;
beforeAll(async () => {
  const dir = knowledgeDir(loadConfig(KNOWLEDGE_SETTINGS, {}).config);
  knowledge = await openKnowledge({ dir, log: createLogger('test', 'silent') });
  const tools = new Set([
    'find_appointments',
    'book_appointment',
    'list_tables',
    'describe_table',
    'search_tables',
    'table_lineage',
  ]);
  agents = await loadAgents(agentsDir(loadConfig(AGENTS_SETTINGS, {}).config), tools);
});
afterAll(() => knowledge.close());

describe('the shipped agents and knowledge', () => {
  it.each([
    ['What is the engine power?', 'specs', '132 kW (180 hp)'],
    ['How much torque does it have?', 'specs', '270 Nm'],
    ['How big is the boot?', 'specs', '395 litres'],
    ['How often does the oil have to be changed?', 'maintenance', '15,000 km or 12 months'],
    ['Which oil does the engine need for an oil change?', 'maintenance', '0W-20'],
    ['When is the workshop open?', 'maintenance', 'Monday to Friday'],
    ['What is the tyre pressure?', 'specs', '2.4 bar'],
    ['What does the yellow engine warning light mean?', 'troubleshooting', 'stored a fault'],
    ['My car does not start, the starter does not turn', 'troubleshooting', 'battery is flat'],
    ['The engine is overheating', 'troubleshooting', 'red thermometer'],
  ])('answer "%s" by %s with "%s"', (question, name, fact) => {
    expect(createLexicalRouter(agents.routed).route(question, null)).toBe(name);
    const filter = agents.get(name)?.knowledge ?? { folders: [] };
    const found = knowledge.search(retrievalQuery(question, null), filter, 6);
    expect(found.map(({ text }) => text).join('\n')).toContain(fact);
  });

  it('never route a question to the explorer', () => {
    expect(agents.get('explorer')).toMatchObject({ routed: false, knowledge: { folders: [] } });
    expect(agents.routed.map(({ name }) => name)).not.toContain('explorer');
  });

  it('have an agent for everything else', () => {
    expect(agents.fallback.name).toBe('general');
  });
});
