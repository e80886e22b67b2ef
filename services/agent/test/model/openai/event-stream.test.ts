import { describe, expect, it } from 'vitest';
import { EventStream } from '../../../src/model/openai/event-stream.ts';

/** Chunks as OpenAI, OpenRouter (comments while it waits) and Azure (CRLF) send them. */
const RECORDED: [string, string][] = [
  [
    'OpenAI',
    'data: {"choices":[{"delta":{"content":"Grüße 🚗"}}]}\n\ndata: {"choices":[]}\n\ndata: [DONE]\n\n',
  ],
  ['OpenRouter', ': OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\ndata: {"a":"é"}\n\ndata: [DONE]\n\n'],
  ['Azure', 'data: {"a":"ü"}\r\n\r\ndata: {"b":2}\r\n\r\ndata: [DONE]\r\n\r\n'],
  ['carriage returns', 'data: {"a":1}\r\rdata: {"b":"€"}\r\r'],
  ['named', 'id: 7\nretry: 10\nevent: error\ndata:{"error":\ndata:  "x"}\n\ndata: {"c":3}\n\n'],
  ['mixed', '\uFEFFdata: 1\r\n\ndata: 2\n\r\n\r\r\ndata: 3\r\r\n'],
];

function read(...pieces: (Buffer | string)[]): [string, string][] {
  const events: [string, string][] = [];
  const stream = new EventStream((data, name) => events.push([name, data]));
  for (const piece of pieces) stream.push(Buffer.from(piece));
  return events;
}

describe('a stream of events', () => {
  it.each([
    ['OpenAI', ['{"choices":[{"delta":{"content":"Grüße 🚗"}}]}', '{"choices":[]}', '[DONE]']],
    ['OpenRouter', ['{"a":"é"}', '[DONE]']],
    ['Azure', ['{"a":"ü"}', '{"b":2}', '[DONE]']],
    ['carriage returns', ['{"a":1}', '{"b":"€"}']],
    ['named', ['{"error":\n "x"}', '{"c":3}']],
    ['mixed', ['1', '2', '3']],
  ])('of %s is read event by event', (name, expected) => {
    const text = RECORDED.find(([recorded]) => recorded === name)?.[1] as string;
    expect(read(text).map(([, data]) => data)).toEqual(expected);
  });

  it.each(RECORDED)('of %s reads the same wherever it is cut', (_name, text) => {
    const bytes = Buffer.from(text);
    const whole = read(bytes);
    for (let first = 0; first <= bytes.length; first += 1) {
      for (let second = first; second <= bytes.length; second += 1) {
        const pieces = [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)];
        expect(read(...pieces)).toEqual(whole);
      }
    }
    expect(read(...[...bytes].map((byte) => Buffer.of(byte)))).toEqual(whole);
  });

  it('names an event that has a name, and only that one', () => {
    expect(read('event: error\ndata: 1\n\ndata: 2\n\n')).toEqual([
      ['error', '1'],
      ['', '2'],
    ]);
  });

  it('passes over what carries nothing', () => {
    expect(read(':\n\nevent: ping\n\ndata\n\ndata:\n\nfoo: bar\n\n\n\n')).toEqual([]);
  });

  it('leaves out an event that was cut off', () => {
    expect(read('data: 1\n\ndata: {"a"')).toEqual([['', '1']]);
    expect(read('data: 1\n\ndata: 2\n')).toEqual([['', '1']]);
  });

  it('takes bytes that are no UTF-8 as replacement characters', () => {
    expect(read(Buffer.from([...Buffer.from('data: '), 0xff, 0xc3, 0x0a, 0x0a]))).toEqual([['', '��']]);
  });

  it.each([
    ['a line without an end', () => 'x'.repeat(65_536)],
    ['a line of data without an end', (n: number) => `${n === 0 ? 'data: ' : ''}${'x'.repeat(65_536)}`],
    ['an event of endless lines', () => `data: ${'x'.repeat(65_530)}\n`],
  ])('of %s is refused rather than kept', (_name, piece) => {
    const stream = new EventStream(() => undefined);
    const push = () => {
      for (let n = 0; n < 64; n += 1) stream.push(Buffer.from(piece(n)));
    };
    expect(push).toThrow(expect.objectContaining({ code: 'BAD_REPLY' }));
  });
});
