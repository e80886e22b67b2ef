import { describe, expect, it } from 'vitest';
import { splitTokens } from '../../src/wire/tokens.ts';

describe('splitTokens', () => {
  it.each(['The engine power is 110 kW.', '  two\n\n lines \n', 'Motorleistungsprüfstand 🚗🚗', '', '   '])(
    'makes pieces of %j that add up to it',
    (text) => {
      expect(splitTokens(text).join('')).toBe(text);
    },
  );

  it('keeps the space before a word and cuts long words', () => {
    expect(splitTokens('The turbocharged car')).toEqual(['The', ' turbocha', 'rged', ' car']);
  });
});
