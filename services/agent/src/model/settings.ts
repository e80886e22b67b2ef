/** Which models may answer, where they are, what they cost, and how long we wait for them. */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
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
    'Key of OpenRouter; used when neither OPENAI_API_KEY nor OPENAI_BASE_URL is set, when the base URL is OpenRouter, or when a client asks for the provider `openrouter`.',
    { secret: true },
  ),
  model: setting('NATTER_MODEL', kinds.optional(), 'Name of the model that answers.', {
    defaultDoc: 'gpt-4.1-mini, on OpenRouter openai/gpt-4.1-mini',
  }),
  openrouterModel: setting(
    'NATTER_OPENROUTER_MODEL',
    kinds.optional(),
    'Name of the model that answers when a client asks for the provider `openrouter` and another one is the usual.',
    { defaultDoc: 'openai/gpt-4.1-mini' },
  ),
  allowedModels: setting(
    'NATTER_ALLOWED_MODELS',
    kinds.list([]),
    'Models that clients may name, separated by commas, besides the configured ones; `*` is any. A model that is not on the list is refused. Unset: what clients name is a wish, and the configured model answers.',
  ),
  providerNames: setting(
    'NATTER_PROVIDER_NAMES',
    kinds.list(['openai']),
    'Names, besides `compatible`, by which clients may ask for a server of your own at OPENAI_BASE_URL, separated by commas.',
  ),
  clientMaxTokens: setting(
    'NATTER_CLIENT_MAX_TOKENS',
    kinds.integer(4_096, 1, 100_000),
    'Longest answer in tokens that a client may ask for, of agents that set no max_tokens.',
  ),
  pricesFile: setting(
    'NATTER_PRICES_FILE',
    kinds.optional(),
    'JSON file with what models cost, for the costs that clients are told. Relative to where the service is started.',
    { defaultDoc: './services/agent/config/prices.json of the repository' },
  ),
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

const PRICES_FILE = fileURLToPath(new URL('../../config/prices.json', import.meta.url));

/** The price table as an absolute path. */
export function pricesFile(config: ModelConfig): string {
  return config.pricesFile === null ? PRICES_FILE : resolve(config.pricesFile);
}
