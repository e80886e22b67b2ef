/** The providers of models that are configured, and how to reach each. */
import type { ModelConfig } from './settings.ts';

export interface ModelOptions {
  baseUrl: string;
  apiKey: string;
  model: string;
  /** Unset: `model`. */
  classifierModel?: string | null;
  /** Default 30,000. */
  firstTokenTimeoutMs?: number;
  /** Default 30,000. */
  tokenTimeoutMs?: number;
  /** Default 300,000. */
  timeoutMs?: number;
  /** Default 2. */
  retries?: number;
}

export type ModelProvider = 'openai' | 'openrouter' | 'compatible';

export interface ModelProviders {
  /** The one that answers where a turn names none. */
  usual: ModelProvider;
  options: ReadonlyMap<ModelProvider, ModelOptions>;
  /** The providers by every name that clients may use. */
  names: ReadonlyMap<string, ModelProvider>;
}

interface Place {
  baseUrl: string;
  apiKey: string;
}

const OPENAI_URL = 'https://api.openai.com/v1';
const OPENROUTER_URL = 'https://openrouter.ai/api/v1';
/** Servers on the own machine want no key, but the SDK wants one. */
const NO_KEY = 'none';

/** The providers that the settings name and how to reach each, or null where they name none. */
export function modelProviders(config: ModelConfig): ModelProviders | null {
  const places = placesOf(config);
  // The first is the usual one.
  const usual = places.keys().next().value;
  if (usual === undefined) return null;
  const options = new Map<ModelProvider, ModelOptions>();
  const names = new Map<string, ModelProvider>();
  // Aliases first: a provider's own name is never another's.
  if (places.has('compatible')) for (const name of config.providerNames) names.set(name, 'compatible');
  for (const [provider, place] of places) {
    options.set(provider, { ...place, ...common(config), ...modelsOf(provider, provider === usual, config) });
    names.set(provider, provider);
  }
  return { usual, options, names };
}

function common(config: ModelConfig) {
  return {
    firstTokenTimeoutMs: config.modelFirstTokenTimeoutMs,
    tokenTimeoutMs: config.modelTokenTimeoutMs,
    timeoutMs: config.modelTimeoutMs,
    retries: config.modelRetries,
  };
}

/** NATTER_MODEL and NATTER_CLASSIFIER_MODEL are the usual provider's: another has other names. */
function modelsOf(provider: ModelProvider, isUsual: boolean, config: ModelConfig) {
  if (isUsual) {
    const model = config.model ?? (provider === 'openrouter' ? openrouterModel(config) : 'gpt-4.1-mini');
    return { model, classifierModel: config.classifierModel };
  }
  return {
    model: provider === 'openrouter' ? openrouterModel(config) : 'gpt-4.1-mini',
    classifierModel: null,
  };
}

function openrouterModel(config: ModelConfig): string {
  return config.openrouterModel ?? 'openai/gpt-4.1-mini';
}

/** Where each provider is, the usual one first. A key goes to nobody but its own provider. */
function placesOf(config: ModelConfig): Map<ModelProvider, Place> {
  const { openaiBaseUrl: baseUrl, openaiApiKey, openrouterApiKey } = config;
  const places = new Map<ModelProvider, Place>();
  const host = baseUrl === null ? null : URL.parse(baseUrl)?.hostname;
  if (baseUrl !== null && host === 'openrouter.ai') {
    places.set('openrouter', { baseUrl, apiKey: openrouterApiKey ?? openaiApiKey ?? NO_KEY });
    // With a key of its own for OpenRouter, the other one is OpenAI's.
    if (openrouterApiKey !== null && openaiApiKey !== null)
      places.set('openai', { baseUrl: OPENAI_URL, apiKey: openaiApiKey });
    return places;
  }
  if (baseUrl !== null)
    places.set(host === 'api.openai.com' ? 'openai' : 'compatible', {
      baseUrl,
      apiKey: openaiApiKey ?? NO_KEY,
    });
  else if (openaiApiKey !== null) places.set('openai', { baseUrl: OPENAI_URL, apiKey: openaiApiKey });
  if (openrouterApiKey !== null)
    places.set('openrouter', { baseUrl: OPENROUTER_URL, apiKey: openrouterApiKey });
  return places;
}
