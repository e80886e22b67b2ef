import { describe, expect, it } from 'vitest';
import { PassageIndex } from '../../src/knowledge/passage-index.ts';
import { retrievalQuery } from '../../src/knowledge/retrieval-query.ts';

const passages = [
  { source: 'specs/engine.md', title: 'Engine / Power', text: 'The engine power is 132 kW.' },
  { source: 'specs/engine.md', title: 'Engine / Torque', text: 'The torque is 270 Nm.' },
  { source: 'care/oil.md', title: 'Oil', text: 'The engine oil is changed every 15,000 km.' },
];
const all = { folders: null };

async function find(question: string, filter: { folders: string[] | null } = all, k = 3) {
  const index = await PassageIndex.build(passages);
  return index.search(retrievalQuery(question, null), filter, k).map(({ title }) => title);
}

describe('PassageIndex', () => {
  it('puts the best passage first', async () => {
    expect((await find('What is the engine power?'))[0]).toBe('Engine / Power');
    expect((await find('torque'))[0]).toBe('Engine / Torque');
  });

  it('finds a word in another form or with a typing mistake', async () => {
    expect(await find('changing the oil')).toContain('Oil');
    expect(await find('torqques')).toEqual(['Engine / Torque']);
  });

  it('returns no more than asked for', async () => {
    expect(await find('engine', all, 1)).toHaveLength(1);
  });

  it('stays within the folders of the filter', async () => {
    expect(await find('engine', { folders: ['care'] })).toEqual(['Oil']);
    expect(await find('engine', { folders: [] })).toEqual([]);
  });

  it('finds nothing where nothing matches', async () => {
    expect(await find('banana')).toEqual([]);
  });
});
