import { describe, expect, it } from 'vitest';
import { renderResult, renderResults } from '../../src/tools/render-results.ts';

describe('renderResult', () => {
  it.each([
    [
      { appointments: [{ service: 'oil change', date: '2026-12-01', time: '10:00' }] },
      'Appointments:\n- service: oil change, date: 2026-12-01, time: 10:00',
    ],
    [{ appointments: [] }, 'There are no appointments.'],
    [[1, 'two', null], 'Results:\n- 1\n- two\n- none'],
    [
      { ok: true, bookedFor: 'Alice', slot: { start_time: '10:00' } },
      'Booked for: Alice.\nSlot: start time: 10:00.',
    ],
    [{ error: 'the slot is taken' }, 'That did not work: the slot is taken.'],
    [
      { ok: false, reason: 'slot_taken', message: 'It is taken', free_times: ['09:00', '11:00'] },
      'That did not work: It is taken.\nFree times:\n- 09:00\n- 11:00',
    ],
    [{ ok: true, appointment: { service: 'oil_service' } }, 'Appointment: service: oil service.'],
    [{ ok: true }, 'Done.'],
    ['done', 'done.'],
    [null, 'The tool returned nothing.'],
    [{}, 'The tool returned nothing.'],
  ])('says %j in words', (value, text) => {
    expect(renderResult(JSON.stringify(value))).toBe(text);
  });

  it('numbers named things and keeps their names', () => {
    const tables = [
      { name: 'fact_orders', type: 'FACT' },
      { name: 'dim_supplier', type: 'DIMENSION', description: 'Suppliers', columns: ['supplier_key'] },
    ];
    expect(renderResult(JSON.stringify(tables), 'list_tables')).toBe(
      'Here are the available tables:\n\n1. fact_orders (FACT)\n2. dim_supplier (DIMENSION): Suppliers, columns: supplier_key',
    );
    expect(renderResult(JSON.stringify(tables.slice(0, 1)), 'search_tables')).toBe(
      'These tables fit:\n\n1. fact_orders (FACT)',
    );
    expect(renderResult('[]', 'list_tables')).toBe('There are no tables.');
    expect(renderResult('[]', 'search_tables')).toBe('There are no tables that fit.');
  });

  it('begins with the name of the thing that was asked for', () => {
    const table = {
      name: 'fact_orders',
      type: 'FACT',
      description: 'One row for each order.',
      owner: 'Sales',
      columns: [{ name: 'order_key', type: 'BIGINT' }],
      upstream_tables: [],
    };
    expect(renderResult(JSON.stringify(table))).toBe(
      'fact_orders (FACT): One row for each order.\nOwner: Sales.\nColumns:\n- order_key (BIGINT)\nThere are no upstream tables.',
    );
  });

  it('repeats a result that is not JSON', () => {
    expect(renderResult('Booked for Monday')).toBe('Booked for Monday');
  });

  it('cuts long lists', () => {
    expect(renderResult(JSON.stringify(Array.from({ length: 60 }, () => 'x')))).toContain('… and 10 more');
  });
});

describe('renderResults', () => {
  it('answers only when results are the last messages', () => {
    expect(renderResults([{ role: 'user', content: 'x' }])).toBeNull();
    expect(renderResults([{ role: 'tool', content: '"a"', tool_call_id: '1' }])).toMatch(
      /^a\.\n\n\(Demo model: /,
    );
  });

  it('know which tool returned what', () => {
    const call = { id: '1', type: 'function' as const, function: { name: 'list_tables', arguments: '{}' } };
    expect(
      renderResults([
        { role: 'assistant', content: '', tool_calls: [call] },
        { role: 'tool', content: '[{"name":"a_b","type":"FACT"}]', tool_call_id: '1' },
      ]),
    ).toMatch(/^Here are the available tables:\n\n1\. a_b \(FACT\)\n\n\(Demo model: /);
  });
});
