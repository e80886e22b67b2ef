import { describe, expect, it } from 'vitest';
import { ChunkTemplate } from '../../../src/model/openai/chunk-template.ts';

const chunk = (content: string, more = '') =>
  `{"id":"c1","model":"m","choices":[{"index":0,"delta":{"content":${JSON.stringify(content)}}${more},"finish_reason":null}]}`;
const contentOf = (data: string) => JSON.parse(data).choices[0].delta.content;

function learned(data: string, text = contentOf(data)): ChunkTemplate {
  const template = new ChunkTemplate();
  template.learn(data, text);
  return template;
}

describe('a template', () => {
  it('reads the text of chunks like the one it learned from', () => {
    const template = learned(chunk('He said "hi"\n'));
    for (const text of ['a', ' two words', 'Grüße 🚗', '{}', "it's", ' '])
      expect(template.textOf(chunk(text))).toBe(text);
  });

  it.each(['"', '\\', '\n', '\t', 'a"b', 'c:\\d', '\u0000', ''])('leaves %j to be parsed', (text) => {
    expect(learned(chunk('x')).textOf(chunk(text))).toBeNull();
  });

  it('leaves a raw control character to be refused', () => {
    expect(learned(chunk('x')).textOf(chunk('x').replace('"x"', '"a\nb"'))).toBeNull();
  });

  it.each([
    ['another id', chunk('y').replace('c1', 'c2')],
    ['another end', chunk('y').replace('null', '"stop"')],
    ['something behind the text', chunk('y', ',"obfuscation":"zz"')],
    ['a second text', chunk('x","content":"y').replace('\\"', '"')],
    ['only its beginning', chunk('y').slice(0, 40)],
    ['less than its beginning and end', chunk('')],
    ['nothing', ''],
  ])('leaves a chunk with %s to be parsed', (_name, data) => {
    expect(learned(chunk('x')).textOf(data)).toBeNull();
  });

  it.each([
    ['whose text stands elsewhere too', `{"x":{"content":"a"},"choices":[{"delta":{"content":"a"}}]}`],
    ['that names its text twice', `{"choices":[{"delta":{"content":"a","content":"b"}}]}`],
    ['whose text is written with escapes of its own', `{"choices":[{"delta":{"content":"\\u0061"}}]}`],
    ['with spaces before the text', `{"choices":[{"delta":{"content": "a"}}]}`],
  ])('is not made of a chunk %s', (_name, data) => {
    const template = learned(data);
    expect(template.textOf(data)).toBeNull();
  });

  it('gives up where every chunk differs, and goes on where they come to be alike', () => {
    const template = new ChunkTemplate();
    for (let n = 0; n < 8; n += 1) template.learn(chunk('x', `,"n":${n}`), 'x');
    template.learn(chunk('x'), 'x');
    expect(template.textOf(chunk('y'))).toBeNull();
    expect(template.textOf(chunk('y', ',"n":7'))).toBe('y');
    template.learn(chunk('x'), 'x');
    expect(template.textOf(chunk('y'))).toBe('y');
  });
});
