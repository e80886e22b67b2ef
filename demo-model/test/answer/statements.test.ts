import { describe, expect, it } from 'vitest';
import { splitStatements } from '../../src/answer/statements.ts';

const texts = (text: string) => splitStatements([{ source: '', title: 'T', text }]).map(({ text }) => text);

describe('splitStatements', () => {
  it('splits sentences but not at abbreviations or decimals', () => {
    expect(texts('Use oil, e.g. SAE 5W-30. It holds 4.5 l. Max. 5 l fit.')).toEqual([
      'Use oil, e.g. SAE 5W-30.',
      'It holds 4.5 l.',
      'Max. 5 l fit.',
    ]);
  });

  it('joins the lines of a paragraph and of a list item', () => {
    expect(texts('One line\ngoes on.\n- an item\n  goes on\n2. **another**')).toEqual([
      'One line goes on.',
      'an item goes on',
      'another',
    ]);
  });

  it('reads table rows with the names of their columns', () => {
    expect(texts('| Work | Km | Months |\n|---|:-:|---|\n| Oil | 15,000 | 12 |')).toEqual([
      'Oil: Km 15,000; Months 12',
    ]);
  });

  it('gives each statement the title and heading above it', () => {
    expect(splitStatements([{ source: '', title: 'T', text: '# H\nText.' }])).toEqual([
      { text: 'Text.', context: 'T H', passage: 0 },
    ]);
  });
});
