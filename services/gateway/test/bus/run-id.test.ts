import { RunId } from '@natter/proto';
import { describe, expect, it } from 'vitest';
import { runId } from '../../src/bus/run-id.ts';

describe('runId', () => {
  it('is the same for the same user, conversation and message', () => {
    expect(runId('alice', 'alice=a', 'm1')).toBe(runId('alice', 'alice=a', 'm1'));
    expect(RunId.safeParse(runId('alice', 'alice=a', 'm1')).success).toBe(true);
  });

  it('differs when any of the three differs, also where their texts run into one another', () => {
    const ids = [
      runId('alice', 'alice=a', 'm1'),
      runId('bob', 'alice=a', 'm1'),
      runId('alice', 'alice=b', 'm1'),
      runId('alice', 'alice=a', 'm2'),
      runId('alicea', 'lice=a', 'm1'),
      runId('alice', 'alice=am', '1'),
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });
});
