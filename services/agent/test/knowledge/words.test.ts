import { describe, expect, it } from 'vitest';
import { contentWords, indexForm } from '../../src/knowledge/words.ts';

const same = (...texts: string[]) =>
  new Set(texts.map((text) => [...contentWords(text)].join(' '))).size === 1;

describe('contentWords', () => {
  it('leaves out words without meaning and repeats', () => {
    expect([...contentWords('What is the engine power? The engine!')]).toEqual(['engin', 'power']);
  });

  it.each([
    ['tyre', 'tyres', 'Tyre'],
    ['change', 'changes', 'changing', 'changed'],
    ['pressure', 'pressures'],
    ['battery', 'batteries'],
    ['stop', 'stopping', 'stopped'],
    ['service', 'services'],
  ])('meets %s in all its forms', (...forms) => {
    expect(same(...forms)).toBe(true);
  });

  it.each([
    ['gas', 'ga'],
    ['brakes', 'breaks'],
    ['glass', 'glas'],
  ])('keeps %s and %s apart', (one, other) => {
    expect(same(one, other)).toBe(false);
  });

  it('keeps decimals and drops thousands separators', () => {
    expect([...contentWords('2.4 bar at 5,500 rpm, 0W-20, E4')]).toEqual([
      '2.4',
      'bar',
      '5500',
      'rpm',
      '0w',
      '20',
      'e4',
    ]);
  });

  it('takes words of any script', () => {
    expect([...contentWords('Ölwechsel 油')]).toEqual(['ölwechsel', '油']);
  });
});

describe('indexForm', () => {
  it('is null for a word without meaning', () => {
    expect(indexForm('The')).toBeNull();
  });
});
