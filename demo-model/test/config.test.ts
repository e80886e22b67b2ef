import { describe, expect, it } from 'vitest';
import { readConfig } from '../src/config.ts';

describe('readConfig', () => {
  it('has a default for each setting', () => {
    expect(readConfig({ DEMO_MODEL_PORT: '' })).toEqual({ port: 0, tokensPerSecond: 60, firstTokenMs: 250 });
  });

  it('names the variable that is wrong', () => {
    expect(() => readConfig({ DEMO_MODEL_PORT: 'x', DEMO_MODEL_FIRST_TOKEN_MS: '-1' })).toThrowError(
      /DEMO_MODEL_PORT must.*DEMO_MODEL_FIRST_TOKEN_MS must/,
    );
  });
});
