/**
 * Settings of a service: declared once, read from the environment, checked as a whole.
 *
 * A service lists its settings with `defineSettings`; docs/reference/config.md and `.env.example`
 * are generated from the same lists.
 */
import type { z } from 'zod';
import { KNOWN_VARIABLES } from './known-variables.ts';

export interface Setting<T> {
  /** Name of the environment variable. */
  env: string;
  /** Reads the variable's text; `undefined` means the variable is unset or empty. */
  schema: z.ZodType<T, string | undefined>;
  /** What it does, and what unset means. One or two sentences. */
  doc: string;
  /** Value shown in the reference when the default is computed. */
  defaultDoc?: string;
  /** Never printed. */
  secret?: boolean;
}

// biome-ignore lint/suspicious/noExplicitAny: a table holds settings of every type
export type Settings = Record<string, Setting<any>>;

export type ConfigOf<S extends Settings> = { [K in keyof S]: S[K] extends Setting<infer T> ? T : never };

/** One setting; infers its type from the schema. */
export function setting<T>(
  env: string,
  schema: z.ZodType<T, string | undefined>,
  doc: string,
  extra: { defaultDoc?: string; secret?: boolean } = {},
): Setting<T> {
  return { env, schema, doc, ...extra };
}

/** A configuration that can't be used; `problems` has one sentence for each mistake. */
export class ConfigError extends Error {
  readonly code = 'CONFIG';
  readonly problems: string[];
  constructor(problems: string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

export interface Loaded<S extends Settings> {
  config: ConfigOf<S>;
  /** Variables that look like ours and that nobody reads. */
  unknown: string[];
}

/**
 * Reads every setting from `env`.
 *
 * Throws ConfigError that names each bad variable; never repeats a secret's value.
 */
export function loadConfig<S extends Settings>(
  settings: S,
  env: Record<string, string | undefined>,
): Loaded<S> {
  const config: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const [key, item] of Object.entries(settings)) {
    const text = env[item.env]?.trim();
    const result = item.schema.safeParse(text === '' ? undefined : text);
    if (result.success) config[key] = result.data;
    else problems.push(`${item.env}: ${result.error.issues.map((issue) => issue.message).join('; ')}`);
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return { config: config as ConfigOf<S>, unknown: unknownVariables(env) };
}

/** Names that begin with NATTER_ and that no service reads: most often a typing mistake. */
export function unknownVariables(env: Record<string, string | undefined>): string[] {
  return Object.keys(env)
    .filter(
      (name) => name.startsWith('NATTER_') && !KNOWN_VARIABLES.has(name) && !isInjectedByKubernetes(name),
    )
    .sort();
}

/** Kubernetes gives each pod NATTER_GATEWAY_PORT=tcp://… for a Service called natter-gateway. */
function isInjectedByKubernetes(name: string): boolean {
  return /_(SERVICE_(HOST|PORT)(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$/.test(name);
}
