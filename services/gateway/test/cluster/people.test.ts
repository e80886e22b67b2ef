import { describe, expect, it } from 'vitest';
import { People } from '../../src/cluster/people.ts';

function crowd(count: number) {
  const people = new People<{ sub: string; name: string | null }>();
  for (let index = 0; index < count; index += 1) people.set({ sub: `user-${index}`, name: null });
  return people;
}

describe('People', () => {
  it.each([1, 16, 17, 100])('are found by their sub, of %i of them', (count) => {
    const people = crowd(count);
    expect(people.size).toBe(count);
    expect([...people].map(({ sub }) => sub)).toEqual(Array.from({ length: count }, (_, at) => `user-${at}`));
    expect(people.get(`user-${count - 1}`)).toEqual({ sub: `user-${count - 1}`, name: null });
    expect(people.has(`user-${count}`)).toBe(false);
  });

  it.each([2, 17])('are there once, with their last name, of %i of them', (count) => {
    const people = crowd(count);
    people.set({ sub: 'user-1', name: 'One' });
    expect(people.size).toBe(count);
    expect(people.get('user-1')?.name).toBe('One');
  });

  it.each([1, 3, 17])('are nobody once all %i are gone', (count) => {
    const people = crowd(count);
    people.delete('somebody else');
    expect(people.size).toBe(count);
    for (const { sub } of people) people.delete(sub);
    expect([people.size, [...people]]).toEqual([0, []]);
    people.set({ sub: 'late', name: null });
    expect([...people].map(({ sub }) => sub)).toEqual(['late']);
  });
});
