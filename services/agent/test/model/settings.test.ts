import { loadConfig } from '@natter/runtime';
import { describe, expect, it } from 'vitest';
import { MODEL_SETTINGS, modelOptions } from '../../src/model/settings.ts';

const chosen = (env: Record<string, string>) => modelOptions(loadConfig(MODEL_SETTINGS, env).config);

describe('modelOptions', () => {
  it('names no provider where nothing is set', () => {
    expect(chosen({})).toBeNull();
  });

  it('asks OpenAI with its key', () => {
    expect(chosen({ OPENAI_API_KEY: 'a', OPENROUTER_API_KEY: 'b' })).toMatchObject({
      provider: 'openai',
      options: { baseUrl: 'https://api.openai.com/v1', apiKey: 'a', model: 'gpt-4.1-mini' },
    });
  });

  it('asks OpenRouter where only its key is set', () => {
    expect(chosen({ OPENROUTER_API_KEY: 'b' })).toMatchObject({
      provider: 'openrouter',
      options: { baseUrl: 'https://openrouter.ai/api/v1', apiKey: 'b', model: 'openai/gpt-4.1-mini' },
    });
  });

  it('needs no key for a server of your own and gives it nobody else’s', () => {
    expect(chosen({ OPENAI_BASE_URL: 'http://localhost:11434/v1/', OPENROUTER_API_KEY: 'b' })).toMatchObject({
      provider: 'compatible',
      options: { baseUrl: 'http://localhost:11434/v1', apiKey: 'none' },
    });
  });

  it('knows OpenRouter by its address', () => {
    expect(
      chosen({ OPENAI_BASE_URL: 'https://openrouter.ai/api/v1', OPENROUTER_API_KEY: 'b' }),
    ).toMatchObject({
      provider: 'openrouter',
      options: { apiKey: 'b' },
    });
  });

  it('passes names, times and retries on', () => {
    const env = {
      OPENAI_API_KEY: 'a',
      NATTER_MODEL: 'm',
      NATTER_CLASSIFIER_MODEL: 'c',
      NATTER_MODEL_FIRST_TOKEN_TIMEOUT_MS: '1000',
      NATTER_MODEL_TOKEN_TIMEOUT_MS: '2000',
      NATTER_MODEL_TIMEOUT_MS: '3000',
      NATTER_MODEL_RETRIES: '0',
    };
    expect(chosen(env)?.options).toMatchObject({
      model: 'm',
      classifierModel: 'c',
      firstTokenTimeoutMs: 1_000,
      tokenTimeoutMs: 2_000,
      timeoutMs: 3_000,
      retries: 0,
    });
  });
});
