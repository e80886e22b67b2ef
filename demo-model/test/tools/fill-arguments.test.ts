import { describe, expect, it } from 'vitest';
import { fillArguments } from '../../src/tools/fill-arguments.ts';

const fill = (name: string, properties: object, required: string[], question: string) =>
  fillArguments({ name, description: '', parameters: { properties, required } }, question, '2026-11-20');

describe('fillArguments', () => {
  it('fills an enum, a number, an id and a date with time by their schemas', () => {
    const properties = {
      kind: { type: 'string', enum: ['tyre_change', 'oil_change'] },
      count: { type: 'integer' },
      appointment_id: { type: 'string' },
      at: { type: 'string', format: 'date-time' },
    };
    expect(fill('x', properties, [], 'oil change 2 times, A-17, today 10:00').values).toEqual({
      kind: 'oil_change',
      count: 2,
      appointment_id: '2',
      at: '2026-11-20T10:00:00',
    });
    expect(fill('x', { appointment_id: { type: 'string' } }, [], 'cancel A-17').values).toEqual({
      appointment_id: 'A-17',
    });
  });

  it('does not guess at free text that is optional', () => {
    expect(fill('find_car', { filter: { type: 'string' } }, [], 'find the red car').values).toEqual({});
    expect(fill('find_car', { filter: { type: 'string' } }, ['filter'], 'find the red car').values).toEqual({
      filter: 'red',
    });
  });

  it.each([
    ['an oil change', 'oil_service'],
    ['a brake fluid change', 'brake_check'],
    ['new tyres', 'tyre_change'],
    ['a headlamp adjusted', 'other'],
    ['', undefined],
  ])('takes %j for the nearest choice', (question, service) => {
    const choices = ['oil_service', 'tyre_change', 'brake_check', 'other'];
    const properties = { service: { type: 'string', enum: choices } };
    expect(fill('book_it', properties, ['service'], `Book ${question}`).values.service).toBe(service);
  });

  it('names what is missing and survives a schema it cannot read', () => {
    const properties = { size: { type: 'number', description: 'Inches.' } };
    expect(fill('x', properties, ['size'], 'wheels').missing).toEqual(['the size (Inches)']);
    expect(fill('x', { size: 7 }, ['size'], 'wheels')).toEqual({ values: {}, missing: [] });
  });
});
