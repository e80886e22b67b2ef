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
});
