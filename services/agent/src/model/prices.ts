/** What models cost, by a table that whoever runs the service keeps up to date. */
import type { TokenUsage } from '@natter/proto';
import { z } from 'zod';
import { readJsonFile } from '../json-file.ts';

const MAX_FILE_BYTES = 256 * 1_024;
const MAX_MODELS = 2_000;

const usd = z.number().min(0).max(100_000);

const PricesFile = z.strictObject({
  /** Day on which somebody last looked the prices up. */
  asOf: z.iso.date(),
  note: z.string().max(2_000).optional(),
  usdPerMillionTokens: z
    .record(z.string().min(1).max(128), z.strictObject({ input: usd, output: usd }))
    .refine((models) => Object.keys(models).length <= MAX_MODELS, `more than ${MAX_MODELS} models`),
});

/** A provider may answer as `gpt-4.1-mini-2025-04-14` for `gpt-4.1-mini`. */
const DATED = /-\d{4}-\d{2}-\d{2}$/;

export class Prices {
  readonly #prices: ReadonlyMap<string, { input: number; output: number }>;

  constructor(usdPerMillionTokens: Record<string, { input: number; output: number }>) {
    this.#prices = new Map(Object.entries(usdPerMillionTokens));
  }

  /** USD for the tokens of one call, or null where the table doesn't list the model. */
  costOf(model: string, usage: TokenUsage): number | null {
    const price = this.#prices.get(model) ?? this.#prices.get(model.replace(DATED, ''));
    if (price === undefined) return null;
    return (usage.inputTokens * price.input + usage.outputTokens * price.output) / 1e6;
  }
}

/** Reads a table. Throws JsonFileError, which names the file and the field. */
export async function loadPrices(file: string): Promise<Prices> {
  const { usdPerMillionTokens } = await readJsonFile(file, PricesFile, MAX_FILE_BYTES);
  return new Prices(usdPerMillionTokens);
}
