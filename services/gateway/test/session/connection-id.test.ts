/** Ids of connections. */
import { expect, it } from 'vitest';
import { newConnectionId } from '../../src/session/connection-id.ts';

it('is a random UUID of version 4, and never the same', () => {
  const ids = Array.from({ length: 1_000 }, newConnectionId);
  for (const id of ids)
    expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
  expect(new Set(ids).size).toBe(1_000);
});
