import { describe, expect, it } from 'vitest';
import { splitDocument } from '../../src/knowledge/split-document.ts';

describe('splitDocument', () => {
  it('makes a passage of each section, named by the headings above it', () => {
    const text = '# Engine\nAll about it.\n## Power\n132 kW\n### Eco\n110 kW\n## Fuel\nPetrol\n';
    expect(splitDocument('specs/engine.md', text)).toEqual([
      { source: 'specs/engine.md', title: 'Engine', text: 'All about it.' },
      { source: 'specs/engine.md', title: 'Engine / Power', text: '132 kW' },
      { source: 'specs/engine.md', title: 'Engine / Power / Eco', text: '110 kW' },
      { source: 'specs/engine.md', title: 'Engine / Fuel', text: 'Petrol' },
    ]);
  });

  it('takes the file name where there is no heading', () => {
    expect(splitDocument('a/notes.txt', '# no heading here')).toEqual([
      { source: 'a/notes.txt', title: 'notes', text: '# no heading here' },
    ]);
  });

  it('sees no heading inside a code fence', () => {
    const passages = splitDocument('a.md', '# One\n```sh\n# comment\n```\ntext');
    expect(passages.map(({ title }) => title)).toEqual(['One']);
  });

  it('finds nothing in an empty file or in headings alone', () => {
    expect(splitDocument('a.md', '\n \n')).toEqual([]);
    expect(splitDocument('a.md', '# One\n\n## Two\n')).toEqual([]);
  });

  it('splits a long section at sentences and repeats a little of what went before', () => {
    const sentences = Array.from({ length: 60 }, (_, n) => `Sentence number ${n} says something.`);
    const passages = splitDocument('a.md', `# Long\n${sentences.join(' ')}`);
    expect(passages.length).toBeGreaterThan(2);
    for (const { text } of passages) {
      expect(text.length).toBeLessThanOrEqual(950);
      expect(text).toMatch(/^Sentence.*something\.$/s);
    }
    for (const sentence of sentences) expect(passages.some(({ text }) => text.includes(sentence))).toBe(true);
    const [first, second] = passages;
    expect(first?.text).toContain(second?.text.split('. ')[0] ?? '-');
  });

  it('repeats nothing where a section fits', () => {
    expect(splitDocument('a.md', '# A\nOne.\n# B\nTwo.').map(({ text }) => text)).toEqual(['One.', 'Two.']);
  });

  it('cuts a text without any break', () => {
    const passages = splitDocument('a.txt', 'x'.repeat(5_000));
    expect(passages.every(({ text }) => text.length <= 950)).toBe(true);
    expect(passages.map(({ text }) => text).join('')).toBe('x'.repeat(5_000));
  });

  it('takes a mebibyte of one line in a moment', () => {
    expect(splitDocument('a.txt', 'word '.repeat(200_000)).length).toBeGreaterThan(1_000);
  });
});
