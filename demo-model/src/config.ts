/** Settings of the demo model's process, from the environment. */
import { z } from 'zod';

/** A number as text; unset or empty means the default. */
function number(fallback: number, max: number) {
  return z
    .string()
    .optional()
    .transform((text, context) => {
      if (text === undefined || text.trim() === '') return fallback;
      const value = Number(text);
      if (value >= 0 && value <= max) return value;
      context.addIssue(`must be a number from 0 to ${max}`);
      return z.NEVER;
    });
}

export const configSchema = z.object({
  /** Default 0: any free port. */
  DEMO_MODEL_PORT: number(0, 65_535),
  /** Default 60; 0 means as fast as the client reads. */
  DEMO_MODEL_TOKENS_PER_SECOND: number(60, 1_000_000),
  /** Milliseconds from request to first token. Default 250, as of a quick real model. */
  DEMO_MODEL_FIRST_TOKEN_MS: number(250, 600_000),
});

export interface Config {
  port: number;
  tokensPerSecond: number;
  firstTokenMs: number;
}

/** Throws an Error that names each bad variable. */
export function readConfig(env: Record<string, string | undefined>): Config {
  const result = configSchema.safeParse(env);
  if (!result.success) {
    const problems = result.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`);
    throw Object.assign(new Error(problems.join('; ')), { code: 'CONFIG' });
  }
  return {
    port: result.data.DEMO_MODEL_PORT,
    tokensPerSecond: result.data.DEMO_MODEL_TOKENS_PER_SECOND,
    firstTokenMs: result.data.DEMO_MODEL_FIRST_TOKEN_MS,
  };
}
