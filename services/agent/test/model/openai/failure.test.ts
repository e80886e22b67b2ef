import { describe, expect, it } from 'vitest';
import { retryAfterMs } from '../../../src/model/openai/failure.ts';

describe('retryAfterMs', () => {
  it.each<[Record<string, string>, number | null]>([
    [{ 'retry-after-ms': '1500' }, 1_500],
    [{ 'retry-after': '2' }, 2_000],
    [{ 'retry-after': 'Thu, 01 Jan 1970 00:00:10 GMT' }, 9_000],
    [{ 'retry-after': 'Thu, 01 Jan 1970 00:00:00 GMT' }, 0],
    [{ 'retry-after': 'soon' }, null],
    [{}, null],
  ])('reads %j as %s', (headers, expected) => {
    expect(retryAfterMs(new Headers(headers), 1_000)).toBe(expected);
  });
});
