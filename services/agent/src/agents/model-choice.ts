/** Which model answers a turn: what the client asks for, as far as the settings let it. */
import type { TurnOptions } from '@natter/proto';
import type { Model } from '../model/model.ts';
import type { ModelOptions, ModelProvider, ModelProviders } from '../model/providers.ts';
import { TurnRefused } from './answer.ts';
import { oneLine } from './one-line.ts';

export interface ModelChoice {
  model: Model;
  /** Name of the model that answers; unset: as configured. Routing always goes by the settings. */
  name: string | undefined;
  /** What the client should know about it. */
  notes: string[];
}

/** What a turn may choose from. */
export interface Models {
  /** Throws TurnRefused. */
  choose(options: TurnOptions): ModelChoice;
}

/** Any model may be named. */
const ANY = '*';

/**
 * Models of all configured providers.
 *
 * Each provider's is made when a turn first asks for it, and kept; there are at most three. The
 * name of the model goes with each request, so naming many of them costs nothing.
 */
export function createModels(
  providers: ModelProviders,
  allowedModels: readonly string[],
  create: (options: ModelOptions) => Model,
): Models {
  const made = new Map<ModelProvider, Model>();
  const allowed = new Set(allowedModels);

  function modelOf(provider: ModelProvider, options: ModelOptions): Model {
    const model = made.get(provider) ?? create(options);
    made.set(provider, model);
    return model;
  }

  return {
    choose({ provider: named, model: asked, modelPreference: preferred }) {
      const provider = named === undefined ? providers.usual : providers.names.get(named);
      const options = provider === undefined ? undefined : providers.options.get(provider);
      if (provider === undefined || options === undefined)
        throw new TurnRefused('UNKNOWN_PROVIDER', `there is no provider ${JSON.stringify(named)}`);
      const mayName = (name: string) => name === options.model || allowed.has(ANY) || allowed.has(name);
      const name = asked ?? preferred;
      const model = modelOf(provider, options);
      if (name === undefined) return { model, name: undefined, notes: [] };
      if (mayName(name)) return { model, name, notes: [] };
      // Without a list nobody has said which ones are forbidden: what clients name is a wish.
      if (asked !== undefined && allowed.size > 0)
        throw new TurnRefused('MODEL_NOT_ALLOWED', `the model ${JSON.stringify(name)} is on no list`);
      const notes = [`The model ${oneLine(name, 128)} is not available here; ${options.model} answers.`];
      return { model, name: undefined, notes };
    },
  };
}
