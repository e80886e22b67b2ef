import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parseObject } from '../../src/dialects/json-object.ts';
import { parseChunkFrame } from '../../src/dialects/rooms-v1/chunk-frame.ts';
import { roomsV1 } from '../../src/dialects/rooms-v1/codec.ts';

const FILE = '6f1c3a2e-5b7d-4c89-9a01-23456789abcd';
/** JSON ignores them, `parseChunkFrame` does not look at what has so many behind the value. */
const BLANKS = Buffer.alloc(5_000, ' ');
const ROUNDS = 6_000;

/** The same numbers in each run (mulberry32). */
function randomFrom(seed: number) {
  let state = seed;
  return (below: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

const part = (length: number) => Buffer.from(Array.from({ length }, (_, at) => (at * 7 + (at >> 8)) & 255));
const TEXT = part(9_000).toString('base64');

const frameOf = (value: string) =>
  `{"type":"file_upload","data":{"upload_type":"chunk","file_id":"${FILE}","chunk_index":3,"total_chunks":48,"chunk_data":"${value}"}}`;
const plain = frameOf(TEXT);

/** What is wrong with a frame, or only another way to say it, as edits of the plain frame's text. */
const EDITS: ReadonlyArray<[name: string, edit: (frame: string) => string]> = [
  ['an escaped solidus', (frame) => frame.replace('/', '\\/')],
  ['an escaped letter', (frame) => frame.replace('A', '\\u0041')],
  ['an escaped letter in the value', (frame) => frame.replace('AAc', '\\u0041Ac')],
  ['an escaped quote in the value', (frame) => frame.replace('AAc', '\\"Ac')],
  ['a quote in the value', (frame) => frame.replace('AAc', '"Ac')],
  ['letters of the alphabet for URLs', (frame) => frame.replaceAll('+', '-').replaceAll('/', '_')],
  ['one minus', (frame) => frame.replace('AAc', '-Ac')],
  ['one underscore', (frame) => frame.replace('AAc', '_Ac')],
  ['a space', (frame) => frame.replace('AAc', ' Ac')],
  ['four spaces', (frame) => frame.replace('AAc', '    AAc')],
  ['a line break', (frame) => frame.replace('AAc', '\nAc')],
  ['a NUL', (frame) => frame.replace('AAc', '\0Ac')],
  ['a letter of two bytes', (frame) => frame.replace('AAc', '\u0141c')],
  ['an equals sign in the middle', (frame) => frame.replace('AAc', '=Ac')],
  ['padding in the middle', (frame) => frame.replace('AAcO', 'AA==')],
  ['one character less', (frame) => frame.replace('AAc', 'Ac')],
  ['one padding too many', (frame) => frame.replace('"}}', '="}}')],
  ['four paddings too many', (frame) => frame.replace('"}}', '===="}}')],
  ['padding in place of the end', (frame) => frame.replace(/.{3}"}}$/, '==="}}')],
  ['bits behind the last byte', (frame) => frame.replace(/.{4}"}}$/, 'AB=="}}')],
  ['bits behind the last two bytes', (frame) => frame.replace(/.{4}"}}$/, 'AAB="}}')],
  ['none behind it', (frame) => frame.replace(/.{4}"}}$/, 'AA=="}}')],
  ['none behind the two', (frame) => frame.replace(/.{4}"}}$/, 'AAA="}}')],
  ['a space before the value', (frame) => frame.replace('"chunk_data":', '"chunk_data": ')],
  ['two spaces before it', (frame) => frame.replace('"chunk_data":', '"chunk_data":  ')],
  ['a space behind the key', (frame) => frame.replace('"chunk_data":', '"chunk_data" :')],
  ['blanks everywhere', (frame) => frame.replaceAll(',"', ' , "').replaceAll('{"', '{\n"')],
  ['a second value, before', (frame) => frame.replace('"chunk_data"', '"chunk_data":"AAAA","chunk_data"')],
  ['a second value, behind', (frame) => frame.replace('"}}', '","chunk_data":"AAAA"}}')],
  ['an empty second value', (frame) => frame.replace('"}}', '","chunk_data":""}}')],
  ['a second value by escapes', (frame) => frame.replace('"}}', '","chunk\\u005fdata":"AAAA"}}')],
  ['the key by escapes only', (frame) => frame.replace('chunk_data', 'chunk\\u005fdata')],
  ['a key that ends like it', (frame) => frame.replace('"chunk_data"', '"x\\"chunk_data"')],
  ['a backslash before the key', (frame) => frame.replace('"chunk_data"', '"x\\\\","chunk_data"')],
  ['a value that ends like the key', (frame) => frame.replace('"chunk_data"', '"x":"chunk_data"')],
  [
    'a text before it with the marker',
    (frame) => frame.replace('"chunk_data"', '"x":"\\"chunk_data\\":\\"","chunk_data"'),
  ],
  ['the key as a value, before', (frame) => frame.replace('"chunk_data"', '"x":"chunk_data","chunk_data"')],
  ['the key as a bare word', (frame) => frame.replace('"chunk_data"', '"x"chunk_data"')],
  [
    'another object within',
    (frame) => frame.replace('"chunk_data"', '"x":{"chunk_data"').replace('"}}', '"}}}'),
  ],
  ['another object that is no data', (frame) => frame.replace('"data"', '"meta"')],
  [
    'data of a prototype',
    (frame) => frame.replace('"chunk_data"', '"__proto__":{"chunk_data"').replace('"}}', '"}}}'),
  ],
  ['data in a prototype', (frame) => frame.replace('"data"', '"__proto__":{"data"').replace('"}}', '"}}}')],
  [
    'the value beside data',
    (frame) => frame.replace('"chunk_data"', '"x":0},"chunk_data"').replace('"}}', '"}'),
  ],
  ['a list within', (frame) => frame.replace('"chunk_data":', '"x":["chunk_data",').replace('"}}', '"]}}')],
  ['data in a list', (frame) => frame.replace('"data":', '"data":[').replace('"}}', '"}]}')],
  ['the value in a list', (frame) => frame.replace('"chunk_data":', '"chunk_data":[').replace('"}}', '"]}}')],
  ['a second data behind', (frame) => frame.replace('"}}', '"},"data":{"upload_type":"chunk"}}')],
  ['a second data that is none', (frame) => frame.replace('"}}', '"},"data":null}')],
  ['a second data before', (frame) => frame.replace('"data"', '"data":{"upload_type":"status"},"data"')],
  ['data spelled with escapes', (frame) => frame.replace('"data"', '"d\\u0061ta"')],
  ['no file', (frame) => frame.replace(FILE, '')],
  ['a bad index', (frame) => frame.replace(':3,', ':-3,')],
  ['a bad total', (frame) => frame.replace(':48,', ':2,')],
  ['another upload_type', (frame) => frame.replace('"chunk"', '"init"')],
  ['another type', (frame) => frame.replace('file_upload', 'chat')],
  ['an unknown type', (frame) => frame.replace('file_upload', 'nobody')],
  ['fields behind the value', (frame) => frame.replace('"}}', '","x":[1,{"y":null}]},"room_id":"r"}')],
  ['something behind the frame', (frame) => `${frame}}`],
  ['a list around', (frame) => `[${frame}]`],
  ['no end', (frame) => frame.slice(0, -1)],
  ['no end of the value', (frame) => frame.slice(0, -3)],
  ['a byte order mark', (frame) => `\ufeff${frame}`],
  ['two byte order marks', (frame) => `\ufeff\ufeff${frame}`],
  ['text of many languages', (frame) => frame.replace('"data"', '"note":"\u017d\u{1f600}\u65e5","data"')],
  ['an escaped text', (frame) => frame.replace('"data"', '"note":"\\ud83d\\n","data"')],
];

/** Bytes that mean something to one of the parsers. */
const BYTES = [...Buffer.from('"\\{}[]:,=+-_/ \n\0uAz09chunk_data'), 0x7f, 0x80, 0xc3, 0xa9, 0xed, 0xff];

/** Changes 1 to 3 bytes: replaced, left out, put in, or a piece said twice; mostly around the value. */
function mutated(frame: Buffer, random: (below: number) => number): Buffer {
  let bytes = frame;
  for (let times = 1 + random(3); times > 0; times -= 1) {
    const place = random(3);
    const head = 170;
    const at = [random(head), bytes.length - 1 - random(20), random(bytes.length)][place] as number;
    const byte = Buffer.of(BYTES[random(BYTES.length)] as number);
    const [kept, from] = [bytes.subarray(0, at), (skip: number) => bytes.subarray(at + skip)];
    const piece = bytes.subarray(at, at + 1 + random(40));
    bytes = [
      () => Buffer.concat([kept, byte, from(1)]),
      () => Buffer.concat([kept, from(1 + random(4))]),
      () => Buffer.concat([kept, byte, from(0)]),
      () => Buffer.concat([kept, piece, from(0)]),
    ][random(4)]?.() as Buffer;
  }
  return bytes;
}

/** Fails where the two ways differ; whether the frame was one for the fast way. */
function compared(frame: Uint8Array): boolean {
  const ordinary = Buffer.concat([frame, BLANKS]);
  expect(parseChunkFrame(ordinary)).toBeNull();
  const answer = roomsV1.decode(ordinary, false);
  // Not `toEqual`, which takes its time over long buffers.
  if (!isDeepStrictEqual(roomsV1.decode(frame, false), answer)) {
    const text = JSON.stringify(Buffer.from(frame).toString('latin1'));
    expect.fail(`answered differently: ${text.slice(0, 300)} ... ${text.slice(-300)}`);
  }
  const fast = parseChunkFrame(frame);
  if (fast === null) return false;
  const data = fast.data as { chunk_data: Buffer };
  const texts = { ...fast, data: { ...data, chunk_data: data.chunk_data.toString('base64') } };
  expect(isDeepStrictEqual(texts, { ...parseObject(frame) })).toBe(true);
  return true;
}

describe('a large frame with a part', () => {
  it('is read the fast way, as browsers and Python write it', () => {
    for (const length of [6_300, 6_301, 6_302, 100_000, 1024 * 1024]) {
      const frame = frameOf(part(length).toString('base64'));
      for (const text of [frame, frame.replaceAll('":', '": ').replaceAll(',"', ', "')]) {
        const bytes = Buffer.from(text);
        expect(compared(bytes)).toBe(true);
        expect(roomsV1.decode(bytes, false)).toMatchObject({
          command: { step: 'chunk', file: FILE, index: 3, total: 48, data: { length } },
        });
      }
    }
  });

  it('is read where it is, in a larger buffer', () => {
    const frame = Buffer.concat([Buffer.from('{"data":"'), Buffer.from(plain), Buffer.from('"}}')]);
    expect(compared(new Uint8Array(frame.buffer, frame.byteOffset + 9, plain.length))).toBe(true);
  });

  it('is the ordinary way what is small, or has much around the part', () => {
    for (const text of [frameOf('AAAA'), `${' '.repeat(5_000)}${plain}`, `${plain}${' '.repeat(5_000)}`])
      expect(parseChunkFrame(Buffer.from(text))).toBeNull();
  });

  it.each(EDITS)('gets the same answer both ways with %s', (_name, edit) => {
    expect(edit(plain)).not.toBe(plain);
    compared(Buffer.from(edit(plain)));
    for (const [, other] of EDITS) compared(Buffer.from(other(edit(plain))));
  });

  it.each([
    ['a part of a letter', [0xc3]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['a byte that is none', [0xff]],
    ['Latin-1', [0xe9, 0x41]],
  ])('gets the same answer both ways with %s in any place', (_name, bad) => {
    const bytes = Buffer.from(plain);
    for (const at of [
      0,
      10,
      100,
      plain.indexOf(TEXT),
      plain.indexOf(TEXT) + 1_000,
      plain.length - 3,
      plain.length,
    ])
      compared(Buffer.concat([bytes.subarray(0, at), Buffer.from(bad), bytes.subarray(at)]));
  });

  it('gets the same answer both ways with anything changed in it', () => {
    const random = randomFrom(4);
    let fast = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const [, edit] = EDITS[random(EDITS.length)] as (typeof EDITS)[number];
      const frame = Buffer.from(random(2) === 0 ? plain : edit(plain));
      if (compared(mutated(frame, random))) fast += 1;
    }
    // Both ways were compared often, and not only where there is just one.
    expect(fast).toBeGreaterThan(ROUNDS / 20);
    expect(fast).toBeLessThan(ROUNDS / 2);
  });
});
