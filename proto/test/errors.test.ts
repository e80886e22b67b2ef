import { describe, expect, it } from 'vitest';
import { CLOSES, ERRORS } from '../src/index.ts';

describe('the tables of errors and closes', () => {
  it('name codes in capitals, with a text without internals and a status of its kind', () => {
    for (const [code, { text, when, status }] of Object.entries(ERRORS)) {
      expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
      expect(text.length).toBeGreaterThan(0);
      expect(when).toMatch(/\.$/);
      expect(status).toBeGreaterThanOrEqual(400);
    }
  });

  it('use close codes an endpoint may send, with reasons that fit a control frame', () => {
    for (const { code, reason } of Object.values(CLOSES)) {
      expect([1008, 1009, 1011, 1012, 1013].includes(code) || (code >= 4000 && code < 5000)).toBe(true);
      expect(new TextEncoder().encode(reason).length).toBeLessThanOrEqual(123);
    }
  });
});
