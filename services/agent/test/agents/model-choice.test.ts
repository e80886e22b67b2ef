import type { TurnOptions } from '@natter/proto';
import { loadConfig } from '@natter/runtime';
import { describe, expect, it } from 'vitest';
import { createModels } from '../../src/agents/model-choice.ts';
import { type ModelOptions, modelProviders } from '../../src/model/providers.ts';
import { MODEL_SETTINGS } from '../../src/model/settings.ts';
import { fakeModel } from './fake-model.ts';

const BOTH = { OPENAI_API_KEY: 'a', OPENROUTER_API_KEY: 'b', NATTER_MODEL: 'usual' };

function models(env: Record<string, string> = BOTH) {
  const { config } = loadConfig(MODEL_SETTINGS, env);
  const providers = modelProviders(config);
  if (providers === null) throw new Error('no provider');
  const made: ModelOptions[] = [];
  const { choose } = createModels(providers, config.allowedModels, (options) => {
    made.push(options);
    return fakeModel([]);
  });
  return { choose, made };
}
const listed = { ...BOTH, NATTER_ALLOWED_MODELS: 'big, small' };
const refusal = (env: Record<string, string>, options: TurnOptions) => {
  try {
    models(env).choose(options);
  } catch (error) {
    return (error as { code: string }).code;
  }
  return null;
};

describe('the model of a turn', () => {
  it('is the usual one where the turn asks for nothing', () => {
    const { choose, made } = models();
    expect(choose({})).toMatchObject({ name: undefined, notes: [] });
    expect(made.map(({ apiKey }) => apiKey)).toEqual(['a']);
  });

  it('is made once for each provider, when it is first asked for', () => {
    const { choose, made } = models({ ...BOTH, NATTER_ALLOWED_MODELS: '*' });
    expect(made).toEqual([]);
    const first = choose({ provider: 'openrouter', model: 'x/1' });
    const second = choose({ provider: 'openrouter', model: 'x/2' });
    expect(second.model).toBe(first.model);
    expect(made.map(({ apiKey }) => apiKey)).toEqual(['b']);
  });

  it('is the named one where the list has it', () => {
    expect(models(listed).choose({ model: 'big' }).name).toBe('big');
    expect(models(listed).choose({ modelPreference: 'small' }).name).toBe('small');
    expect(models(listed).choose({ model: 'big', modelPreference: 'other' }).name).toBe('big');
    expect(models({ ...BOTH, NATTER_ALLOWED_MODELS: '*' }).choose({ model: 'any' }).name).toBe('any');
  });

  it('may always be the one that the provider has anyway', () => {
    expect(models(listed).choose({ model: 'usual' })).toMatchObject({ name: 'usual', notes: [] });
  });

  it('is refused where the list does not have it', () => {
    expect(refusal(listed, { model: 'huge' })).toBe('MODEL_NOT_ALLOWED');
    // It is OpenAI's usual one, not OpenRouter's.
    expect(refusal(listed, { model: 'usual', provider: 'openrouter' })).toBe('MODEL_NOT_ALLOWED');
  });

  it('is the usual one where a preference is not on the list, and a note says so', () => {
    expect(models(listed).choose({ modelPreference: 'gpt\n-4' })).toMatchObject({
      name: undefined,
      notes: ['The model gpt -4 is not available here; usual answers.'],
    });
  });

  it('is the usual one, with a note, where there is no list', () => {
    const { name, notes } = models().choose({ model: 'my-model' });
    expect(name).toBeUndefined();
    expect(notes).toEqual(['The model my-model is not available here; usual answers.']);
  });

  it.each(['azure', 'compatible', '', 'OpenAI', '__proto__'])(
    'is refused for the provider %j',
    (provider) => {
      expect(refusal(BOTH, { provider })).toBe('UNKNOWN_PROVIDER');
    },
  );

  it('is refused for a provider without a key', () => {
    expect(refusal({ OPENAI_API_KEY: 'a' }, { provider: 'openrouter' })).toBe('UNKNOWN_PROVIDER');
  });

  it('comes from the server of your own for the name openai', () => {
    const { choose, made } = models({
      OPENAI_BASE_URL: 'http://127.0.0.1:1/v1',
      NATTER_MODEL: 'natter-demo',
    });
    expect(choose({ provider: 'openai' }).notes).toEqual([]);
    expect(made[0]).toMatchObject({ baseUrl: 'http://127.0.0.1:1/v1', model: 'natter-demo' });
  });
});
