import { describe, expect, it } from 'vitest';
import { readPassages } from '../../src/answer/passages.ts';

describe('readPassages', () => {
  it('reads source, title and text, unescaped', () => {
    const prompt = 'x <passage source="a &amp; b.md" title="&quot;T&quot;">\n1 &lt; 2 &amp;lt;\n</passage> y';
    expect(readPassages(prompt)).toEqual([{ source: 'a & b.md', title: '"T"', text: '\n1 < 2 &lt;\n' }]);
  });

  it('skips what is not well formed', () => {
    expect(readPassages('<passage source="a" title="b">no end')).toEqual([]);
    expect(readPassages('<passage </passage>')).toHaveLength(0);
    expect(readPassages('<passage >text</passage>')).toEqual([{ source: '', title: '', text: 'text' }]);
  });

  it('stops at a hundred passages', () => {
    expect(readPassages('<passage source="a" title="b">t</passage>'.repeat(500))).toHaveLength(100);
  });
});
