import { expect, it } from 'vitest';
import { Admission } from '../../src/edge/admission.ts';

it('admits up to the limit of an address, and up to the limit in all', () => {
  const admission = new Admission({ maxConnections: 3, maxConnectionsPerAddress: 2 });
  const admitted = ['a', 'a', 'a', 'b', 'c'].map((key) => admission.admit(key));
  expect([admitted, admission.size]).toEqual([[true, true, false, true, false], 3]);
});

it('admits another one for each that is released, and counts none that it refused', () => {
  const admission = new Admission({ maxConnections: 2, maxConnectionsPerAddress: 2 });
  expect(['a', 'a', 'b'].map((key) => admission.admit(key))).toEqual([true, true, false]);
  admission.release('a');
  expect(['b', 'a'].map((key) => admission.admit(key))).toEqual([true, false]);
  admission.release('a');
  expect([admission.admit('a'), admission.size]).toEqual([true, 2]);
});
