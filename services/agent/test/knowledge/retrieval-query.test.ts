import { describe, expect, it } from 'vitest';
import { retrievalQuery } from '../../src/knowledge/retrieval-query.ts';

const weights = (question: string, previous: string | null) =>
  Object.fromEntries(retrievalQuery(question, previous).weights);

describe('retrievalQuery', () => {
  it('helps a follow-up out with the question before it', () => {
    expect(weights('And the torque?', 'What is the engine power?')).toEqual({
      torqu: 1,
      engin: 0.3,
      power: 0.3,
    });
  });

  it('leaves a question alone that says enough itself', () => {
    expect(weights('Which oil does the engine need?', 'Tyre pressure?')).toEqual({
      oil: 1,
      engin: 1,
      need: 1,
    });
  });

  it('keeps the full weight of a word that both questions have', () => {
    expect(weights('Engine?', 'engine power')).toEqual({ engin: 1, power: 0.3 });
  });

  it('looks up no more than 64 words', () => {
    const long = Array.from({ length: 1_000 }, (_, n) => `word${n}`).join(' ');
    expect(retrievalQuery(long, long).weights.size).toBe(64);
  });
});
