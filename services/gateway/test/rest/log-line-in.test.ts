import { LOG_LINE_BYTES, LogLine, OWN_SERVICES } from '@natter/proto';
import { describe, expect, it } from 'vitest';
import { batchValue, logBatch } from '../../src/rest/log-batch.ts';
import { type LineProblem, lineIn } from '../../src/rest/log-line-in.ts';

const AT = Date.UTC(2026, 0, 1);
/** Throws for a line that is refused. */
const stored = (value: Record<string, unknown>) => {
  const line = lineIn(value, AT);
  if (typeof line === 'string') throw new Error(`refused: ${line}`);
  return line;
};
const taken = (value: Record<string, unknown>) => {
  const line = lineIn(value, AT);
  return typeof line === 'string' ? null : { subject: line.subject, line: JSON.parse(line.data) };
};

describe('lineIn', () => {
  it('completes a line that says only its text', () => {
    expect(taken({ msg: 'hello' })).toEqual({
      subject: 'log.external.info.general',
      line: {
        ...{ level: 'info', time: '2026-01-01T00:00:00.000Z', service: 'external', category: 'general' },
        msg: 'hello',
      },
    });
  });

  it('keeps what it does not know, and the order of names in the subject', () => {
    const line = { level: 'error', service: 'my.shop', category: 'a-b', msg: 'x', sku: { id: 7 }, n: null };
    expect(taken({ ...line, time: '2025-12-31T23:00:00Z' })).toEqual({
      subject: 'log.my_2eshop.error.a-b',
      line: { ...line, time: '2025-12-31T23:00:00.000Z' },
    });
    expect(LogLine.safeParse(taken(line)?.line).success).toBe(true);
  });

  it.each([
    [10, 'trace'],
    [30, 'info'],
    [60, 'fatal'],
    ['WARN', 'warn'],
  ])('takes pino’s level %s', (level, name) => expect(taken({ msg: 'x', level })?.line.level).toBe(name));

  it('takes pino’s time, and now for one that is none', () => {
    expect(taken({ msg: 'x', time: AT - 1_000 })?.line.time).toBe('2025-12-31T23:59:59.000Z');
    for (const time of ['soon', 1e300, {}, null, ''])
      expect(taken({ msg: 'x', time })?.line.time).toBe('2026-01-01T00:00:00.000Z');
  });

  const REFUSED: [string, LineProblem, Record<string, unknown>][] = [
    ['no text', 'msg', {}],
    ['an empty text', 'msg', { msg: '' }],
    ['a text that is none', 'msg', { msg: 7 }],
    ['a level between two', 'level', { msg: 'x', level: 35 }],
    ['level 0', 'level', { msg: 'x', level: 0 }],
    ['a level nobody knows', 'level', { msg: 'x', level: 'loud' }],
    ['a service that is no name', 'service', { msg: 'x', service: 'a.b.>' }],
    ['an empty category', 'category', { msg: 'x', category: '' }],
    ['a service of null', 'service', { msg: 'x', service: null }],
    ...OWN_SERVICES.map((service): [string, LineProblem, Record<string, unknown>] => [
      `our own ${service}`,
      'reserved service',
      { msg: 'x', service },
    ]),
    ['one that looks like ours', 'reserved service', { msg: 'x', service: 'Gateway' }],
    [
      'fields too deep to be written',
      'too deep',
      JSON.parse(`{"msg":"x","a":${'['.repeat(50_000)}${']'.repeat(50_000)}}`),
    ],
  ];

  it.each(REFUSED)('refuses a line with %s: %s', (_what, why, value) => expect(lineIn(value, AT)).toBe(why));

  it('takes secrets out of texts and fields', () => {
    const secret = 'S3cr3tCanary';
    const { line } = taken({
      msg: `login with token=${secret}`,
      url: `https://a.example/?api_key=${secret}`,
      password: secret,
      deep: [{ access_token: secret, authorization: `Bearer ${secret}`, note: `Bearer ${secret}` }],
    }) as { line: unknown };
    expect(JSON.stringify(line)).not.toContain(secret);
    const long = stored({ msg: `token=${secret} ${'x'.repeat(20_000)}` });
    expect(long.data).not.toContain(secret);
  });

  it.each(['_', 'a', 'token_'])('reads a name of half a megabyte of %j in no time', (text) => {
    const start = performance.now();
    lineIn({ msg: 'x', [`${text.repeat(500_000 / text.length)}!`]: 'v' }, AT);
    expect(performance.now() - start).toBeLessThan(1_000);
  });

  it('never makes a field into a prototype', () => {
    const line = taken(JSON.parse('{"msg":"x","__proto__":{"level":"fatal"}}'));
    expect(line?.line.level).toBe('info');
  });

  it.each([
    ['a long text', { msg: 'é"\u0001'.repeat(8_000), traceId: 't1' }],
    ['long fields', { msg: 'short', traceId: 't1', more: 'x'.repeat(20_000) }],
  ])('keeps %s within what LOGS takes', (_what, value) => {
    const { data } = stored(value);
    expect(Buffer.byteLength(data)).toBeLessThanOrEqual(LOG_LINE_BYTES);
    expect(JSON.parse(data)).toMatchObject({ truncated: true, traceId: 't1' });
    expect(value.msg.startsWith(JSON.parse(data).msg)).toBe(true);
  });
});

describe('logBatch', () => {
  const read = (bytes: Uint8Array) =>
    logBatch(bytes)?.map((line) => ({ index: line.index, value: batchValue(line) })) ?? null;
  const batch = (text: string) => read(Buffer.from(text));

  it('reads one object, also over several lines', () => {
    expect(batch('{\n  "msg": "x"\n}\n')).toEqual([{ index: 0, value: { msg: 'x' } }]);
  });

  it('reads one object a line, and counts blank lines and those that are none', () => {
    expect(batch('{"msg":"a"}\r\n\n{"msg":\n["b"]\n \t\n{"msg":"c"}')).toEqual([
      { index: 0, value: { msg: 'a' } },
      { index: 2, value: 'not JSON' },
      { index: 3, value: 'not JSON' },
      { index: 5, value: { msg: 'c' } },
    ]);
    expect(read(Buffer.from([0x7b, 0xff, 0x0a, 0x7b, 0x7d]))).toEqual([
      { index: 0, value: 'not JSON' },
      { index: 1, value: {} },
    ]);
  });

  it('takes no line above 64 KiB, the only one neither, as over NATS', () => {
    const line = (bytes: number) => `{"msg":"${'x'.repeat(bytes - 10)}"}`;
    const values = (text: string) =>
      batch(text)?.map(({ value }) => (typeof value === 'string' ? value : true));
    expect(values(line(65_536))).toEqual([true]);
    expect(values(line(65_537))).toEqual(['too long']);
    expect(values(`${line(65_536)}\n${line(65_537)}\r\n${line(20)}`)).toEqual([true, 'too long', true]);
    // Over several lines, of which each is short.
    expect(values(`{"msg":\n${'"x",\n'.repeat(20)}${' '.repeat(70_000)}}`)).not.toContain(true);
  });

  it('takes a thousand lines and no more', () => {
    expect(batch('{"msg":"x"}\n'.repeat(1_000))).toHaveLength(1_000);
    expect(batch('{"msg":"x"}\n'.repeat(1_001))).toBeNull();
    expect(batch('\n'.repeat(5_000))).toEqual([]);
  });
});
