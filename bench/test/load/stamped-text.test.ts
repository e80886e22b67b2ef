import { describe, expect, it } from 'vitest';
import { wholenessOf } from '../../src/load/stamped-text.ts';
import { writeStamp } from '../../src/load/token-frame.ts';

const text = (...values: number[]) => values.map(writeStamp).join('');

describe('wholenessOf', () => {
  it('finds nothing to complain of in a whole answer', () => {
    expect(wholenessOf(text(1, 2, 30_000_000), 3)).toEqual({ lost: 0, doubled: 0 });
  });

  it('counts what is missing at the beginning, in the middle and at the end', () => {
    expect(wholenessOf(text(2, 4), 5)).toEqual({ lost: 3, doubled: 0 });
    expect(wholenessOf('', 5)).toEqual({ lost: 5, doubled: 0 });
  });

  it('counts what came again', () => {
    expect(wholenessOf(text(1, 2, 1, 2, 3), 3)).toEqual({ lost: 0, doubled: 2 });
  });

  it('fails where a stamp is cut, for then nothing can be told', () => {
    expect(() => wholenessOf(`${text(1)}0000`, 2)).toThrow('an answer has');
  });
});
