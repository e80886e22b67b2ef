import { loadConfig } from '@natter/runtime';
import { describe, expect, it } from 'vitest';
import { modelProviders } from '../../src/model/providers.ts';
import { MODEL_SETTINGS } from '../../src/model/settings.ts';

const providers = (env: Record<string, string>) => modelProviders(loadConfig(MODEL_SETTINGS, env).config);
/** The usual provider and its options. */
const usual = (env: Record<string, string>) => {
  const found = providers(env);
  return { provider: found?.usual, options: found?.options.get(found.usual) };
};
const names = (env: Record<string, string>) => Object.fromEntries(providers(env)?.names ?? []);

const LOCAL = 'http://localhost:11434/v1';
const OPENROUTER = 'https://openrouter.ai/api/v1';

describe('the usual provider', () => {
  it('is nobody where nothing is set', () => {
    expect(providers({})).toBeNull();
  });

  it('is OpenAI with its key', () => {
    expect(usual({ OPENAI_API_KEY: 'a', OPENROUTER_API_KEY: 'b' })).toMatchObject({
      provider: 'openai',
      options: { baseUrl: 'https://api.openai.com/v1', apiKey: 'a', model: 'gpt-4.1-mini' },
    });
  });

  it('is OpenRouter where only its key is set', () => {
    expect(usual({ OPENROUTER_API_KEY: 'b' })).toMatchObject({
      provider: 'openrouter',
      options: { baseUrl: OPENROUTER, apiKey: 'b', model: 'openai/gpt-4.1-mini' },
    });
  });

  it('is a server of your own, which needs no key and gets nobody else’s', () => {
    expect(usual({ OPENAI_BASE_URL: `${LOCAL}/`, OPENROUTER_API_KEY: 'b' })).toMatchObject({
      provider: 'compatible',
      options: { baseUrl: LOCAL, apiKey: 'none' },
    });
  });

  it('is OpenRouter by its address', () => {
    expect(usual({ OPENAI_BASE_URL: OPENROUTER, OPENROUTER_API_KEY: 'b' })).toMatchObject({
      provider: 'openrouter',
      options: { apiKey: 'b' },
    });
  });

  it('gets names, times and retries from the settings', () => {
    const env = {
      OPENAI_API_KEY: 'a',
      NATTER_MODEL: 'm',
      NATTER_CLASSIFIER_MODEL: 'c',
      NATTER_MODEL_FIRST_TOKEN_TIMEOUT_MS: '1000',
      NATTER_MODEL_TOKEN_TIMEOUT_MS: '2000',
      NATTER_MODEL_TIMEOUT_MS: '3000',
      NATTER_MODEL_RETRIES: '0',
    };
    expect(usual(env).options).toMatchObject({
      model: 'm',
      classifierModel: 'c',
      firstTokenTimeoutMs: 1_000,
      tokenTimeoutMs: 2_000,
      timeoutMs: 3_000,
      retries: 0,
    });
  });
});

describe('other providers', () => {
  it('are there with a key of their own, and have a model of their own', () => {
    const found = providers({
      OPENAI_API_KEY: 'a',
      OPENROUTER_API_KEY: 'b',
      NATTER_MODEL: 'gpt-9',
      NATTER_CLASSIFIER_MODEL: 'gpt-9-nano',
      NATTER_OPENROUTER_MODEL: 'z/zed',
    });
    expect([...(found?.options.keys() ?? [])]).toEqual(['openai', 'openrouter']);
    expect(found?.options.get('openrouter')).toMatchObject({
      baseUrl: OPENROUTER,
      apiKey: 'b',
      model: 'z/zed',
      classifierModel: null,
    });
  });

  it('are asked for by their names', () => {
    expect(names({ OPENAI_API_KEY: 'a' })).toEqual({ openai: 'openai' });
    expect(names({ OPENAI_API_KEY: 'a', OPENROUTER_API_KEY: 'b' })).toEqual({
      openai: 'openai',
      openrouter: 'openrouter',
    });
  });

  it('may be a server of your own that goes by other names', () => {
    expect(names({ OPENAI_BASE_URL: LOCAL })).toEqual({ openai: 'compatible', compatible: 'compatible' });
    const env = { OPENAI_BASE_URL: LOCAL, OPENROUTER_API_KEY: 'b', NATTER_PROVIDER_NAMES: 'ours,openrouter' };
    expect(names(env)).toEqual({ ours: 'compatible', openrouter: 'openrouter', compatible: 'compatible' });
  });

  it('never get a key that may belong to another', () => {
    const env = { OPENAI_BASE_URL: OPENROUTER, OPENAI_API_KEY: 'a' };
    expect([...(providers(env)?.options.keys() ?? [])]).toEqual(['openrouter']);
    const both = providers({ ...env, OPENROUTER_API_KEY: 'b' })?.options;
    expect(both?.get('openrouter')?.apiKey).toBe('b');
    expect(both?.get('openai')).toMatchObject({ baseUrl: 'https://api.openai.com/v1', apiKey: 'a' });
  });
});
