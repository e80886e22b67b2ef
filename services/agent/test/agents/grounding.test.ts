import { describe, expect, it } from 'vitest';
import { ground } from '../../src/agents/grounding.ts';

const passage = (source: string, text: string) => ({ source, title: 'T', text });
const ENGINE = passage('specs/engine.md', 'The engine power of the Aster is 132 kW at 5,500 rpm.');
const OIL = passage('specs/oil.md', 'The Aster takes 4.5 litres of oil. It needs SAE 0W-20.');

function measure(answer: string, extra: Partial<Parameters<typeof ground>[0]> = {}) {
  return ground({
    question: 'What is the engine power?',
    answer,
    passages: [ENGINE, OIL],
    toolResults: [],
    routedBy: 'classifier',
    ...extra,
  });
}

describe('ground', () => {
  it('trusts an answer whose every word was given, and names its file', () => {
    expect(measure('The engine power is 132 kW at 5,500 rpm.')).toEqual({
      confidence: 1,
      sources: ['specs/engine.md'],
    });
  });

  it('trusts an invented answer in part and a refusal not at all', () => {
    expect(measure('The engine power is 150 kW at 6,000 rpm.').confidence).toBe(0.5);
    expect(measure('Sorry, I know nothing.')).toEqual({ confidence: 0, sources: [] });
  });

  it('names the most used file first', () => {
    const answer = 'It takes 4.5 litres of oil, SAE 0W-20, and makes 132 kW at 5500 rpm.';
    expect(measure(answer, { question: 'Tell me' }).sources).toEqual(['specs/oil.md', 'specs/engine.md']);
  });

  it('does not name a file that only shares words with a better one', () => {
    const summary = passage('summary.md', 'Aster 132 kW');
    expect(measure('The Aster has 132 kW at 5500 rpm.', { passages: [summary, ENGINE] }).sources).toEqual([
      'specs/engine.md',
    ]);
  });

  it('counts what tools said, without a source', () => {
    const toolResults = ['{"ok":true,"appointment":{"date":"2026-01-06","time":"10:00"}}'];
    expect(measure('2026-01-06 10:00', { passages: [], toolResults })).toEqual({
      confidence: 1,
      sources: [],
    });
  });

  it('gives no file the credit for what a tool said', () => {
    const toolResults = ['{"power":"132 kW","at":"5,500 rpm"}'];
    expect(measure('132 kW at 5,500 rpm', { toolResults })).toEqual({ confidence: 1, sources: [] });
  });

  it('does not count the numbers of a list', () => {
    expect(measure('1. 132 kW\n2. 5,500 rpm\n  10) 132 kW').confidence).toBe(1);
    expect(measure('It makes 7 kW').confidence).toBeLessThan(1);
  });

  it('takes off what the route is worth', () => {
    const by = (routedBy: 'only' | 'words' | 'default') => measure('132 kW', { routedBy }).confidence;
    expect([by('only'), by('words'), by('default')]).toEqual([1, 0.9, 0.75]);
  });

  it('passes over a remark in brackets at the end', () => {
    expect(measure('132 kW (at 5,500 rpm)\n\n(Demo model: set a key.)').confidence).toBe(1);
    expect(measure('132 kW\n\n(nonsense) banana').confidence).toBe(0.5);
  });

  it('is 0 for an answer without words', () => {
    expect(measure('!').confidence).toBe(0);
  });

  it('names no more than 32 files', () => {
    const passages = Array.from({ length: 40 }, (_, n) =>
      passage(`${n}.md`, `${n}a ${n}b ${n}c ${n}d ${n}e ${n}f`),
    );
    const answer = passages
      .slice(0, 5)
      .map(({ text }) => text)
      .join(' ');
    expect(measure(answer, { passages }).sources).toHaveLength(5);
  });
});
