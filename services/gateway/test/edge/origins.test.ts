import { describe, expect, it } from 'vitest';
import { Origins } from '../../src/edge/origins.ts';

describe('Origins', () => {
  it('allows what is listed, without regard to case and a trailing slash, and clients without an Origin', () => {
    const origins = new Origins(['https://App.example.com/'], false);
    expect(origins.allows('https://app.example.com')).toBe(true);
    expect(origins.allows('')).toBe(true);
  });

  it.each([
    'https://evil.example.com',
    'https://app.example.com.evil.com',
    'http://app.example.com',
    'null',
    'http://localhost:3000',
  ])('refuses %s', (origin) => {
    expect(new Origins(['https://app.example.com'], false).allows(origin)).toBe(false);
  });

  it('allows localhost in development, and nothing that only looks like it', () => {
    const origins = new Origins([], true);
    expect(origins.allows('http://localhost:3000')).toBe(true);
    expect(origins.allows('http://127.0.0.1')).toBe(true);
    expect(origins.allows('http://[::1]:8000')).toBe(true);
    expect(origins.allows('http://localhost.evil.com')).toBe(false);
    expect(origins.allows('http://evil.com/localhost')).toBe(false);
  });
});
