import { afterEach, expect, test, vi } from 'vitest';
import { needs } from '../src/requirements.ts';

afterEach(() => vi.unstubAllEnvs());

test('a missing requirement is a reason, and an error where everything is required', () => {
  vi.stubEnv('NATTER_REQUIRE_ALL', '');
  vi.stubEnv('PATH', '/nowhere');
  expect(needs('chromium')).toMatch(/is on PATH/);
  vi.stubEnv('NATTER_REQUIRE_ALL', '1');
  expect(() => needs('chromium')).toThrow(/is on PATH/);
});
