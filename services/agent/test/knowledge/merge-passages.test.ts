import { describe, expect, it } from 'vitest';
import { mergePassages } from '../../src/knowledge/merge-passages.ts';
import type { Passage } from '../../src/knowledge/passage.ts';
import { retrievalQuery } from '../../src/knowledge/retrieval-query.ts';

const passages = (source: string, text: string, count: number): Passage[] =>
  Array.from({ length: count }, (_, n) => ({ source, title: 'x', text: `${text} ${n}` }));
const TORQUE = 'What is the engine torque of my van?';

function merge(question: string, files: Passage[], knowledge: Passage[]) {
  return mergePassages(retrievalQuery(question, null), files, knowledge, 6);
}

describe('mergePassages', () => {
  it('prefers files that match, and leaves two places to the knowledge', () => {
    const files = passages('van.md', 'engine torque of the van', 6);
    const knowledge = passages('engine.md', 'engine torque', 6);
    const found = merge(TORQUE, files, knowledge);
    expect(found).toEqual({ files: files.slice(0, 4), knowledge: knowledge.slice(0, 2) });
  });

  it('gives the places that one side leaves to the other', () => {
    const files = passages('van.md', 'engine torque of the van', 6);
    const knowledge = passages('engine.md', 'engine torque', 6);
    expect(merge(TORQUE, files, []).files).toHaveLength(6);
    expect(merge(TORQUE, files, knowledge.slice(0, 1)).files).toHaveLength(5);
    expect(merge(TORQUE, [], knowledge).knowledge).toHaveLength(6);
    expect(merge(TORQUE, files.slice(0, 1), knowledge).knowledge).toHaveLength(5);
  });

  it('leaves out files that meet the question in a word only', () => {
    const knowledge = passages('engine.md', 'the engine torque of a van', 6);
    expect(merge(TORQUE, passages('notes.txt', 'the van is red', 3), knowledge)).toEqual({
      files: [],
      knowledge,
    });
  });

  it('takes files that meet it in a word where the knowledge does no better', () => {
    const files = passages('notes.txt', 'the van is red', 3);
    expect(merge(TORQUE, files, passages('colours.md', 'a van', 1)).files).toEqual(files);
  });

  it('takes files for what a question about a file means', () => {
    const files = passages('notes.txt', 'milk and eggs', 3);
    const knowledge = passages('files.md', 'how to upload a file', 6);
    expect(merge('Sum up the file that I uploaded', files, knowledge).files).toEqual(files);
  });
});
