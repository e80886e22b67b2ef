import { describe, expect, it } from 'vitest';
import { extract } from '../../src/answer/extract.ts';
import { readPassages } from '../../src/answer/passages.ts';
import { VEHICLE_PROMPT } from './vehicle.ts';

const passages = readPassages(VEHICLE_PROMPT);
const ask = (...questions: string[]) => extract(passages, questions);

describe('extract', () => {
  it('quotes the sentence that holds the words of the question', () => {
    expect(ask('What is the engine power?')).toBe('The engine power is 110 kW (150 hp) at 5,500 rpm.');
  });

  it.each([
    ['How much does the car weigh?', 'Kerb weight: 1,320 kg'],
    ['How long is it? I mean the length', 'Length: 4,370 mm'],
    ['what is the maximum torque', 'Maximum torque is 250 Nm between 1,500 and 3,500 rpm.'],
    [
      'How often should I change the oil?',
      'Change the engine oil every 15,000 km or 12 months, whichever comes first.',
    ],
    [
      'Which tyre pressures are right?',
      'Check the tyre pressure every month: 2.4 bar in front & 2.2 bar at the back.',
    ],
    ['My starter is clicking', 'A clicking starter means a flat battery.'],
  ])('answers %j from a table, a list or a paragraph', (question, answer) => {
    expect(ask(question)).toBe(answer);
  });

  it('reads a follow-up with few words together with the question before it', () => {
    expect(ask('What is the engine power?', 'And the torque?')).toBe(
      'Maximum torque is 250 Nm between 1,500 and 3,500 rpm.',
    );
    expect(ask('How often is the air filter replaced?', 'Why?')).toBe(
      'Replace the air filter every 60,000 km.',
    );
  });

  it('does not let the question before it answer in place of the follow-up', () => {
    expect(ask('What is the engine power?', 'And the weather?')).toBeNull();
  });

  it('finds nothing for a question about something else', () => {
    expect(ask('Who is the president of France?')).toBeNull();
    expect(ask('')).toBeNull();
    expect(extract([], ['What is the engine power?'])).toBeNull();
  });

  it('quotes at most three statements', () => {
    const text = Array.from({ length: 9 }, (_, at) => `Fuse ${at} protects lamp ${at}.`).join(' ');
    const quoted = extract([{ source: 'fuses.md', title: 'Lamps', text }], ['fuse lamp protects']);
    expect(quoted?.match(/Fuse/g)?.length).toBeLessThanOrEqual(3);
  });
});
