/** Settings of the agent. */
import { kinds, setting } from '@natter/runtime/config';
import { AGENTS_SETTINGS } from './agents/settings.ts';
import { KNOWLEDGE_SETTINGS } from './knowledge/settings.ts';
import { MODEL_SETTINGS } from './model/settings.ts';
import { CATALOGUE_SETTINGS } from './tools/catalogue/settings.ts';

export const AGENT_SETTINGS = {
  concurrency: setting(
    'NATTER_AGENT_CONCURRENCY',
    kinds.integer(256, 1, 10_000),
    'Runs at once in one agent process. More wait in TURNS, for this agent or another.',
  ),
  ...MODEL_SETTINGS,
  ...AGENTS_SETTINGS,
  ...KNOWLEDGE_SETTINGS,
  ...CATALOGUE_SETTINGS,
};
