import { describe, expect, it } from 'vitest';
import { classify } from '../../src/answer/classify.ts';
import type { ResponseFormat } from '../../src/wire/chat-request.ts';

const INSTRUCTIONS = `Choose who answers.
- specs: technical data such as engine, power, torque, dimensions, weight
- maintenance: service intervals, oil changes, appointments in the workshop
- troubleshooting: warning lamps, noises, something that does not work or start`;

const format = (extra = {}): ResponseFormat & { type: 'json_schema' } => ({
  type: 'json_schema',
  json_schema: {
    name: 'route',
    schema: {
      properties: { agent: { type: 'string', enum: ['specs', 'maintenance', 'troubleshooting'] }, ...extra },
    },
  },
});
const route = (...questions: string[]) =>
  JSON.parse(classify(format(), { instructions: INSTRUCTIONS, questions, messages: [], partial: '' })).agent;

describe('classify', () => {
  it.each([
    ['What is the engine power?', 'specs'],
    ['Book an oil change on 2026-12-01', 'maintenance'],
    ['Which appointments do I have?', 'maintenance'],
    ['A warning lamp is on', 'troubleshooting'],
    ['How is the weather?', 'specs'],
  ])('gives %j to %s', (question, label) => {
    expect(route(question)).toBe(label);
  });

  it('lets earlier questions decide when the last says nothing', () => {
    expect(route('A warning lamp is on', 'And now?')).toBe('troubleshooting');
    expect(route('A warning lamp is on', 'How much torque does it have?')).toBe('specs');
  });

  it('gives its confidence where the schema has a number', () => {
    const text = classify(format({ confidence: { type: 'number' } }), {
      instructions: INSTRUCTIONS,
      questions: ['What is the torque?'],
      messages: [],
      partial: '',
    });
    expect(JSON.parse(text)).toEqual({ agent: 'specs', confidence: 1 });
  });

  it('refuses a schema without an enum', () => {
    const bare = { type: 'json_schema', json_schema: { name: 'x', schema: { properties: {} } } } as const;
    expect(() => classify(bare, { instructions: '', questions: [], messages: [], partial: '' })).toThrowError(
      expect.objectContaining({ code: 'unsupported_schema' }),
    );
  });
});
