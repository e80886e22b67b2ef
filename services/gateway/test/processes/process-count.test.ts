import { expect, test } from 'vitest';
import { placeArgument, placeOf, processCount } from '../../src/processes/process-count.ts';

test('unset means one process in development and one on each core in production', () => {
  expect(processCount({ processes: null, env: 'development' }, 8)).toBe(1);
  expect(processCount({ processes: null, env: 'production' }, 8)).toBe(8);
});

test('what is set counts in both, and `all` is at most 64', () => {
  for (const env of ['development', 'production'] as const) {
    expect(processCount({ processes: 3, env }, 8)).toBe(3);
    expect(processCount({ processes: 'all', env }, 2)).toBe(2);
    expect(processCount({ processes: 'all', env }, 200)).toBe(64);
  }
});

test('a process reads its place from the argument it was given', () => {
  expect(placeOf(['node', 'main.ts', placeArgument({ index: 3, of: 12 })])).toEqual({ index: 3, of: 12 });
});

test('without one it has no place', () => {
  expect(placeOf(['node', 'main.ts', '--check-config', '--process=', '--process=1'])).toBeNull();
});
