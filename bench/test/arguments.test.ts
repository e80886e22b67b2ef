import { expect, it } from 'vitest';
import { readArguments } from '../src/arguments.ts';

const FIGURES = ['idle', 'connect'];
const PEERS = ['ws', 'nchan'];

it('is quick and names no figures when told nothing', () => {
  expect(readArguments([], FIGURES, PEERS)).toEqual({
    figures: [],
    size: 'quick',
    peers: [],
    check: false,
    out: null,
    profileDir: null,
    seed: null,
  });
});

it('takes figures, a size, peers and files', () => {
  const args = ['connect', '--full', '--peer', 'ws', '--peer', 'nchan', '--check', '--out', 'a.json'];
  expect(readArguments([...args, '--profile', 'p', '--seed', '42'], FIGURES, PEERS)).toEqual({
    figures: ['connect'],
    size: 'full',
    peers: ['ws', 'nchan'],
    check: true,
    out: 'a.json',
    profileDir: 'p',
    seed: 42,
  });
});

it.each<[string[]]>([
  [['fast']],
  [['--quick']],
  [['--full', '--tiny']],
  [['--check', '--tiny']],
  [['--out']],
  [['--peer', 'nginx']],
  [['--seed', 'x']],
])('refuses %j', (args) => {
  expect(() => readArguments(args, FIGURES, PEERS)).toThrow(Error);
});
