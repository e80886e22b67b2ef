import { expect, it } from 'vitest';
import { readArguments } from '../src/arguments.ts';

const FIGURES = ['idle', 'connect'];

it('measures everything in its quick size when told nothing', () => {
  expect(readArguments([], FIGURES)).toEqual({ figures: [], size: 'quick', out: null, profileDir: null });
});

it('takes figures, a size and files', () => {
  expect(readArguments(['connect', '--full', '--out', 'a.json', '--profile', 'p'], FIGURES)).toEqual({
    figures: ['connect'],
    size: 'full',
    out: 'a.json',
    profileDir: 'p',
  });
});

it.each([[['fast']], [['--quick']], [['--full', '--tiny']], [['--out']]])('refuses %j', (args) => {
  expect(() => readArguments(args, FIGURES)).toThrow(Error);
});
