/** Parameters of upgrade requests, read like URLSearchParams does. */
import { describe, expect, it } from 'vitest';
import { Query } from '../../src/edge/query.ts';

describe('a query', () => {
  it.each([
    '',
    'token=eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhbGljZSJ9.c2ln-_&room_id=r1',
    'a=1&a=2&b=3&a=',
    'a&b&=c&==d&&',
    'a=b=c',
    'a=1%202+3&b=%zz&c=%c3%28&%61=4',
    'a+b=c+d',
    '?a=1&b=2',
    'a=?&b=#',
    'name=Zoë&emoji=\u{1f527}',
    `resume=${'x'.repeat(40)}&resume=${'y'.repeat(300)}`,
  ])('%j has the values that URLSearchParams finds', (text) => {
    const [query, known] = [new Query(text), new URLSearchParams(text)];
    for (const name of ['a', 'b', 'c', '', 'token', 'room_id', 'resume', 'name', 'emoji', 'a b', 'absent']) {
      expect(query.get(name), name).toBe(known.get(name) ?? undefined);
      expect(query.all(name), name).toEqual(known.getAll(name));
    }
  });
});
