/** Which model answers, where it is, and how long we wait for it. */
import { type ConfigOf, kinds, setting } from '@natter/runtime/config';

export const MODEL_SETTINGS = {
  openaiApiKey: setting(
    'OPENAI_API_KEY',
    kinds.optional(),
    'Key of OpenAI, or of the server at OPENAI_BASE_URL. With no key and no base URL, `npm start` runs the demo model.',
    { secret: true },
  ),
  openaiBaseUrl: setting(
    'OPENAI_BASE_URL',
    kinds.httpUrl(),
    'Any server that speaks the chat completions API, such as http://localhost:11434/v1. Unset: OpenAI, or OpenRouter where only its key is given.',
  ),
  openrouterApiKey: setting(
    'OPENROUTER_API_KEY',
    kinds.optional(),
    'Key of OpenRouter; used when neither OPENAI_API_KEY nor OPENAI_BASE_URL is set, or when the base URL is OpenRouter.',
    { secret: true },
  ),
  model: setting('NATTER_MODEL', kinds.optional(), 'Name of the model that answers.', {
    defaultDoc: 'gpt-4.1-mini, on OpenRouter openai/gpt-4.1-mini',
  }),
  classifierModel: setting(
    'NATTER_CLASSIFIER_MODEL',
    kinds.optional(),
    'Name of the model that picks the agent; a small and quick one is enough. Unset: the model that answers.',
  ),
  modelFirstTokenTimeoutMs: setting(
    'NATTER_MODEL_FIRST_TOKEN_TIMEOUT_MS',
    kinds.integer(30_000, 100, 280_000),
    'How long the model may think before its first token. Then the run fails.',
  ),
  modelTokenTimeoutMs: setting(
    'NATTER_MODEL_TOKEN_TIMEOUT_MS',
    kinds.integer(30_000, 100, 280_000),
    'How long the model may pause between two tokens. Then the run fails.',
  ),
  modelTimeoutMs: setting(
    'NATTER_MODEL_TIMEOUT_MS',
    kinds.integer(300_000, 1_000, 3_600_000),
    'How long a whole answer may take, tools included. Then the run fails.',
  ),
  modelRetries: setting(
    'NATTER_MODEL_RETRIES',
    kinds.integer(2, 0, 10),
    'How often a request is repeated that failed before its first token. After that token it never is.',
  ),
};

export type ModelConfig = ConfigOf<typeof MODEL_SETTINGS>;

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

const OPENAI_URL = 'https://api.openai.com/v1';
const OPENROUTER_URL = 'https://openrouter.ai/api/v1';
/** Servers on the own machine want no key, but the SDK wants one. */
const NO_KEY = 'none';

/** The provider that the settings name and how to reach it, or null where they name none. */
export function modelOptions(config: ModelConfig): { provider: ModelProvider; options: ModelOptions } | null {
  const place = providerOf(config);
  if (place === null) return null;
  const defaultModel = place.provider === 'openrouter' ? 'openai/gpt-4.1-mini' : 'gpt-4.1-mini';
  return {
    provider: place.provider,
    options: {
      baseUrl: place.baseUrl,
      apiKey: place.apiKey,
      model: config.model ?? defaultModel,
      classifierModel: config.classifierModel,
      firstTokenTimeoutMs: config.modelFirstTokenTimeoutMs,
      tokenTimeoutMs: config.modelTokenTimeoutMs,
      timeoutMs: config.modelTimeoutMs,
      retries: config.modelRetries,
    },
  };
}

function providerOf(
  config: ModelConfig,
): { provider: ModelProvider; baseUrl: string; apiKey: string } | null {
  const { openaiBaseUrl: baseUrl, openaiApiKey, openrouterApiKey } = config;
  if (baseUrl !== null) {
    const host = URL.parse(baseUrl)?.hostname;
    if (host === 'openrouter.ai')
      return { provider: 'openrouter', baseUrl, apiKey: openrouterApiKey ?? openaiApiKey ?? NO_KEY };
    // OpenRouter's key goes to nobody else.
    const provider = host === 'api.openai.com' ? 'openai' : 'compatible';
    return { provider, baseUrl, apiKey: openaiApiKey ?? NO_KEY };
  }
  if (openaiApiKey !== null) return { provider: 'openai', baseUrl: OPENAI_URL, apiKey: openaiApiKey };
  if (openrouterApiKey !== null)
    return { provider: 'openrouter', baseUrl: OPENROUTER_URL, apiKey: openrouterApiKey };
  return null;
}
