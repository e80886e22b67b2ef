/** What is put into a frame in place of what belongs there. */

const nested = (open: string, close: string, depth: number) => open.repeat(depth) + close.repeat(depth);

/** Small ones, so that a frame stays a frame. */
const SMALL = [
  ...['null', 'true', 'false', '0', '-0', '1', '-1', '1.5', '""', '" "', '[]', '{}', '[null]', '{"":null}'],
  // Numbers that lose digits, that are none, that overflow.
  ...[
    '9007199254740991',
    '9007199254740993',
    '-9007199254740993',
    '4294967295',
    '2147483648',
    '1e21',
    '1e308',
  ],
  ...[
    '1e999',
    '-1e999',
    '1e-999',
    '0.1e-7',
    `1${'0'.repeat(40)}`,
    '01',
    '+1',
    '.5',
    '1.',
    '0x10',
    'NaN',
    'Infinity',
  ],
  // Half pairs, escapes of nothing, control characters, line separators, a byte order mark.
  ...[
    '"\\ud800"',
    '"\\udc00\\ud800"',
    '"a\\ud83d"',
    '"\\u0000"',
    '"\\u2028"',
    '"\\ufeff"',
    '"\\x41"',
    '"\\u12"',
  ],
  ...['"\u0000"', '"\u001f"', '"\ufeff"', '"\u202e"', '"\u{1f527}"', '"e\u0301"'],
  // Objects that would be somebody's prototype.
  ...['"__proto__"', '"constructor"', '"toString"', '"hasOwnProperty"', '{"__proto__":{"polluted":1}}'],
  ...[
    '{"constructor":{"prototype":{"polluted":1}}}',
    '{"toString":null}',
    '{"length":4294967295}',
    '{"then":1}',
  ],
  // What means something on the bus, in a path, in a cursor.
  ...['"*"', '">"', '"a.b"', '"$JS.API.>"', '"../../etc"', '"c1.a=b.0.0..0.0"', '"c1.=b=.0.0..0.0"', '"="'],
  // Literals of Python, comments, commas too many.
  ...['None', 'True', "'text'", "{'a': None,}", '/**/null', '[1,]', '{"a":1,}', '{,}', 'undefined', '"'],
  // Words of the wires.
  ...[
    '"chat"',
    '"message"',
    '"auth"',
    '"cancel"',
    '"file_upload"',
    '"chunk"',
    '"finalize"',
    '"additional_servers"',
  ],
  ...[
    '"queue"',
    '"interrupt"',
    '"private"',
    '"00000000-0000-4000-8000-000000000000"',
    '"YWJj"',
    '"YWJ"',
    '"YW=j"',
  ],
  ...[
    '"https://example.com/x"',
    '"http://127.1/"',
    '"http://[::ffff:7f00:1]/"',
    '"http://0x7f.1/"',
    '"\\"chunk_data\\":"',
  ],
  nested('[', ']', 16),
  nested('[', ']', 17),
];

/** Around limits of ids, names and texts, and above what a reader may recurse into. */
const LARGE = [
  ...[127, 128, 129, 257, 1_025, 4_097, 8_193, 16_000, 16_001].map((length) => `"${'a'.repeat(length)}"`),
  `"${'\u{1f527}'.repeat(32)}"`,
  `"${'\u{1f527}'.repeat(33)}"`,
  `"${'\\ud83d\\udd27'.repeat(700)}"`,
  `"${'\\u0000'.repeat(500)}"`,
  `"${'QUJD'.repeat(3_000)}"`,
  `1${'0'.repeat(400)}`,
  `0.${'1'.repeat(4_000)}`,
  nested('[', ']', 1_000),
  nested('[', ']', 8_000),
  '['.repeat(20_000),
  `${'{"a":'.repeat(1_000)}1${'}'.repeat(1_000)}`,
  `[${'1,'.repeat(4_000)}1]`,
  `[${'{"name":"x","httpstream-url":"https://example.com/"},'.repeat(80)}1]`,
  `{${Array.from({ length: 500 }, (_, at) => `"k${at}":${at}`).join(',')}}`,
];

/** Bytes that are no UTF-8: alone, overlong, a surrogate, above U+10FFFF, cut off. */
const BYTES = [
  'ff',
  'fe',
  'c0af',
  'c328',
  'e28281',
  'eda080',
  'f4908080',
  'f09f94',
  '80',
  '00',
  'efbbbf',
  '0d0a',
];

const asBuffers = (texts: readonly string[]) => texts.map((text) => Buffer.from(text));

const isJson = (value: Buffer): boolean => {
  try {
    JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(value));
    return true;
  } catch {
    return false;
  }
};

const SMALL_AND_BROKEN = [...asBuffers(SMALL), ...BYTES.map((hex) => Buffer.from(`22${hex}22`, 'hex'))];

/** JSON, though not what belongs there. */
export const SMALL_VALUES: readonly Buffer[] = SMALL_AND_BROKEN.filter(isJson);
/** Nearly JSON. */
export const BROKEN_VALUES: readonly Buffer[] = SMALL_AND_BROKEN.filter((value) => !isJson(value));
export const LARGE_VALUES: readonly Buffer[] = asBuffers(LARGE);
/** To be inserted anywhere. */
export const FRAGMENTS: readonly Buffer[] = [
  ...asBuffers(['{', '}', '[', ']', '"', ':', ',', '\\', '\\u', '\\ud83d', "'", ' ', '\n', '-', 'e', '.']),
  ...asBuffers([
    '&',
    '=',
    '%',
    '%00',
    '%ff',
    '%ud83d',
    '+',
    ';',
    '..',
    '--eof',
    'Bearer ',
    '"a":',
    '"data":',
  ]),
  ...BYTES.map((hex) => Buffer.from(hex, 'hex')),
];
export const KEYS: readonly Buffer[] = asBuffers(
  [
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'type',
    'data',
    'message',
    'room_id',
    'message_id',
    '',
  ]
    .concat(['chunk_data', 'd\\u0061ta', 'cursors', 'content', 'ack', 'x'.repeat(200)])
    .map((key) => `"${key}"`),
);
