import { describe, expect, it } from 'vitest';
import { FRAME, kindOf, readStamps, writeStamp } from '../../src/load/token-frame.ts';

const tokenFrame = (text: string) =>
  Buffer.from(`{"type":"token","token":${JSON.stringify(text)},"partial_response":"1 2 ${text}"}`);

function stampsOf(payload: Buffer): number[] {
  const stamps: number[] = [];
  readStamps(payload, (micros) => stamps.push(micros));
  return stamps;
}

describe('readStamps', () => {
  it('reads back what the model wrote', () => {
    expect(stampsOf(tokenFrame(writeStamp(123_456_789.4)))).toEqual([123_456_789]);
  });

  it('counts each token of a merged frame', () => {
    expect(stampsOf(tokenFrame([0, 35, 36, 999_999_999].map(writeStamp).join('')))).toEqual([
      0, 35, 36, 999_999_999,
    ]);
  });

  it('never reads on into the answer so far', () => {
    expect(stampsOf(tokenFrame(''))).toEqual([]);
  });

  it('fails on a frame that was cut', () => {
    expect(() => stampsOf(Buffer.from('{"type":"token","token":"abc'))).toThrow(/no end/);
  });
});

describe('kindOf', () => {
  it.each([
    ['{"type":"token","token":"a ","partial_response":"a "}', FRAME.token],
    ['{"type":"complete","response":"a "}', FRAME.end],
    ['{"type":"error","error":"no"}', FRAME.failed],
    ['{"type":"progress","step":"starting"}', FRAME.other],
    ['{', FRAME.other],
  ])('%s is %s', (text, kind) => {
    expect(kindOf(Buffer.from(text))).toBe(kind);
  });
});
