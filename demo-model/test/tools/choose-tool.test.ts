import { describe, expect, it } from 'vitest';
import { readConversation } from '../../src/answer/conversation.ts';
import { chooseTool } from '../../src/tools/choose-tool.ts';
import { decodeChatRequest } from '../../src/wire/chat-request.ts';
import { CATALOGUE_TOOLS } from './catalogue-tools.ts';
import { WORKSHOP_TOOLS } from './workshop-tools.ts';

type Turn = { role: 'user' | 'assistant'; content: string };

function choose(turns: Turn[], extra: object = {}) {
  const request = decodeChatRequest({ model: 'm', messages: turns, tools: WORKSHOP_TOOLS, ...extra });
  return chooseTool(request, readConversation(request.messages), '2026-11-20');
}
const ask = (content: string, extra?: object) => choose([{ role: 'user', content }], extra);

describe('chooseTool', () => {
  it.each(['Which appointments do I have?', 'Show my appointments', 'Do I have an appointment?'])(
    'looks appointments up for %j',
    (question) => {
      expect(ask(question)).toEqual({ kind: 'call', name: 'find_appointments', arguments: {} });
    },
  );

  it.each([
    ['Book an oil change on 2026-12-01 at 10:00', 'oil change', '2026-12-01', '10:00'],
    [
      'Please make an appointment for a brake inspection tomorrow at 9 am.',
      'brake inspection',
      '2026-11-21',
      '09:00',
    ],
    ['On December 1, 2026 at 2:30 pm I want to book new tyres', 'tyres', '2026-12-01', '14:30'],
    [
      'Can you book me in for a change of the brake fluid on 3 December 2026, 8:15?',
      'change of the brake fluid',
      '2026-12-03',
      '08:15',
    ],
  ])('fills the arguments of a booking from %j', (question, service, date, time) => {
    const call = ask(question);
    expect(call).toMatchObject({ kind: 'call', name: 'book_appointment', arguments: { date, time } });
    expect(call).toHaveProperty('arguments.service', expect.stringContaining(service));
  });

  it.each([
    'What is the engine power?',
    'How often should I change the oil?',
    'How do I find the dipstick?',
    'What does the service plan say?',
    'Hello',
  ])('leaves %j to the passages', (question) => {
    expect(ask(question)).toBeNull();
  });

  it('asks in words for what a booking lacks', () => {
    const reply = ask('Book an oil change');
    expect(reply).toMatchObject({ kind: 'ask' });
    expect(reply).toHaveProperty('text', expect.stringContaining('the date (YYYY-MM-DD); the time (HH:MM'));
  });

  it('puts the answer to its question together with the request', () => {
    const asked = ask('Book an oil change');
    const text = asked?.kind === 'ask' ? asked.text : '';
    const turns: Turn[] = [
      { role: 'user', content: 'Book an oil change' },
      { role: 'assistant', content: text },
      { role: 'user', content: 'On 2026-12-01 at 10:00' },
    ];
    expect(choose(turns)).toEqual({
      kind: 'call',
      name: 'book_appointment',
      arguments: { service: 'oil change', date: '2026-12-01', time: '10:00' },
    });
  });

  it('asks for the date when the one given does not exist', () => {
    expect(ask('Book an oil change on 2026-02-30 at 10:00')).toMatchObject({ kind: 'ask' });
  });

  it('obeys tool_choice', () => {
    expect(ask('Which appointments do I have?', { tool_choice: 'none' })).toBeNull();
    const tool_choice = { type: 'function', function: { name: 'find_appointments' } };
    expect(ask('Hello', { tool_choice })).toMatchObject({ name: 'find_appointments' });
  });
});

describe('chooseTool with the tools of a data catalogue', () => {
  it.each([
    ['List all tables', 'list_tables', {}],
    ['Show me the tables', 'list_tables', {}],
    ['Which tables are there?', 'list_tables', {}],
    ['List all fact tables', 'list_tables', { type: 'FACT' }],
    ['describe fact_bs_purchase_order', 'describe_table', { table: 'fact_bs_purchase_order' }],
    ['Please describe the table dimv_bs_supplier', 'describe_table', { table: 'dimv_bs_supplier' }],
    ['What columns does dimv_bs_supplier have?', 'describe_table', { table: 'dimv_bs_supplier' }],
    ['@ai please search supplier', 'search_tables', { query: 'supplier' }],
    ['search supplier', 'search_tables', { query: 'supplier' }],
    ['Search for tables about suppliers', 'search_tables', { query: 'suppliers' }],
    ['Find tables with invoices', 'search_tables', { query: 'invoices' }],
    ['lineage of fact_bs_purchase_order', 'table_lineage', { table: 'fact_bs_purchase_order' }],
    ['Where does agg_bs_spend come from?', 'table_lineage', { table: 'agg_bs_spend' }],
    ['What depends on stg_erp_supplier?', 'table_lineage', { table: 'stg_erp_supplier' }],
  ])('calls for %j %s', (question, name, args) => {
    expect(ask(question, { tools: CATALOGUE_TOOLS })).toEqual({ kind: 'call', name, arguments: args });
  });

  it.each(['Hello', 'What is the engine power?'])('leaves %j to the passages', (question) => {
    expect(ask(question, { tools: CATALOGUE_TOOLS })).toBeNull();
  });

  it('asks for the table that is missing', () => {
    expect(ask('Describe a table', { tools: CATALOGUE_TOOLS })).toMatchObject({
      kind: 'ask',
      text: expect.stringContaining('the table (Name of the table)'),
    });
  });
});
