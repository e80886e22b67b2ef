import { describe, expect, it } from 'vitest';
import { shownLine } from '../../../src/bus/logs/shown-line.ts';
import { seeded } from './fake-logs.ts';

const AT = Date.UTC(2026, 0, 1);
const show = (data: string | Uint8Array, subject = 'log.shop.warn.orders') =>
  shownLine({ seq: 7, subject, timeMs: AT, data: typeof data === 'string' ? Buffer.from(data) : data });

describe('shownLine', () => {
  it('shows what a line says, and its other fields as fields', () => {
    const line = {
      level: 'warn',
      time: '2025-12-31T23:59:59.000Z',
      service: 'shop',
      category: 'orders',
      msg: 'sold out',
      traceId: 't1',
      sku: 7,
    };
    expect(show(JSON.stringify(line))).toEqual({
      ...{ seq: 7, level: 'warn', service: 'shop', category: 'orders', time: '2025-12-31T23:59:59.000Z' },
      ...{ text: 'sold out', traceId: 't1', fields: { sku: 7 } },
    });
  });

  it('believes the subject, which the broker has judged, and not the body', () => {
    const line = { level: 'fatal', service: 'gateway', category: 'general', msg: 'trust me' };
    expect(show(JSON.stringify(line), 'log.my_2eshop.info.a')).toMatchObject({
      ...{ level: 'info', service: 'my.shop', category: 'a', fields: {} },
    });
  });

  it.each([
    ['no JSON', 'plain words', 'plain words'],
    ['an array', '["a"]', '["a"]'],
    ['no text', '{"a":1}', '{"a":1}'],
    ['a text that is none', '{"msg":{"a":1}}', '{"msg":{"a":1}}'],
    ['nothing', '', ''],
  ])('shows %s as text', (_what, data, text) => {
    expect(show(data)).toMatchObject({ text, time: new Date(AT).toISOString(), fields: {} });
  });

  it.each([
    ['JSON', JSON.stringify({ msg: 'é'.repeat(30_000), pad: 1 })],
    ['text', 'é'.repeat(30_000)],
  ])('cuts a line of 60 KB to 16 KiB, and says so: %s', (_what, data) => {
    const line = show(data);
    expect(Buffer.byteLength(line.text)).toBeLessThanOrEqual(16 * 1024 + 2);
    expect(line.text.length).toBeGreaterThan(8_000);
    expect(line.fields).toEqual({ truncated: true });
  });

  it('takes the broker’s time where the line’s is none, and any level for info', () => {
    const line = show('{"msg":"x","time":"yesterday"}', 'log.s.loud.c');
    expect(line).toMatchObject({ time: new Date(AT).toISOString(), level: 'info' });
    expect(shownLine({ seq: 1, subject: '', timeMs: Number.NaN, data: Buffer.from('x') })).toMatchObject({
      time: '1970-01-01T00:00:00.000Z',
      category: 'general',
    });
  });

  it('never throws, whatever bytes it gets', () => {
    const random = seeded(1);
    const parts = ['{"msg":"', '"}', '\\u', '{', '[', '\0', '\xff', '"', 'x', '__proto__', ':', ',', 'é'];
    for (let round = 0; round < 5_000; round += 1) {
      const text = Array.from({ length: random() * 12 }, () => parts[Math.floor(random() * parts.length)]);
      const data = Buffer.from(text.join(''), round % 2 ? 'latin1' : 'utf8');
      expect(typeof show(data).text).toBe('string');
    }
  });

  it('shows no secret of a line of others, in its text and in its fields at any depth', () => {
    const fields = { a: { headers: [{ Cookie: ['canary'] }] }, password: 'canary', url: 'x?token=canary' };
    expect(show(JSON.stringify({ msg: 'Bearer canary', ...fields }))).toMatchObject({
      text: '[redacted]',
      fields: {
        a: { headers: [{ Cookie: '[redacted]' }] },
        password: '[redacted]',
        url: 'x?token=[redacted]',
      },
    });
    expect(show('no JSON, but token=canary').text).toBe('no JSON, but token=[redacted]');
    // Cut before it was looked at, half of it would be shown.
    const long = show(JSON.stringify({ msg: `${'x'.repeat(16_370)} nk_${'canary'.repeat(10)}` }));
    expect(long.text).not.toContain('nk_');
  });
});
