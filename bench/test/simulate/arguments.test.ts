import { expect, it } from 'vitest';
import { readSimulateArguments } from '../../src/simulate/arguments.ts';

it('takes one fleet and what is changed of it', () => {
  const args = ['--sockets', '200000', '--auth-cores', '8', '--backoff-cap-ms', '5000'];
  expect(readSimulateArguments(args)).toEqual({
    sockets: 200_000,
    change: { authCores: 8, backoffCapMs: 5_000 },
  });
  expect(readSimulateArguments([])).toEqual({ sockets: null, change: {} });
});

it('refuses what it doesn’t know, what is no number, and a change of no fleet', () => {
  expect(() => readSimulateArguments(['--cores', '2'])).toThrow(/cores/);
  expect(() => readSimulateArguments(['--sockets', '-1'])).toThrow();
  expect(() => readSimulateArguments(['--sockets', 'many'])).toThrow(
    '--sockets many is no number from 0 on.',
  );
  expect(() => readSimulateArguments(['--auth-cores', '8'])).toThrow(/--sockets/);
});
