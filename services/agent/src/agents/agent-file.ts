/** Reads the description of one agent: YAML front matter, then the system prompt. */
import { parse, YAMLParseError } from 'yaml';
import { z } from 'zod';
import { AgentFileError } from './agent-file-error.ts';

const oneLine = (max: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(max)
    .regex(/^[^\r\n]*$/, 'must be a single line');

const FrontMatter = z.strictObject({
  /** Shown to clients as `metadata.agent`. */
  name: z.string().regex(/^[a-z][a-z0-9_-]{0,63}$/, 'must be a-z, then up to 63 of a-z 0-9 _ -'),
  /** By which the classifier picks it. */
  description: oneLine(500),
  /** Questions that are for this agent; they help the lexical router. */
  examples: z.array(oneLine(300)).max(50).default([]),
  tools: z.array(z.string().min(1).max(64)).max(16).default([]),
  knowledge: z
    .strictObject({
      /** Folders below the knowledge folder, subfolders included; unset is all, an empty list none. */
      folders: z
        .array(
          z
            .string()
            .max(200)
            .transform((folder) => folder.replace(/^\.?\/+|\/+$/g, ''))
            .refine((folder) => folder !== '', 'must name a folder'),
        )
        .max(50)
        .nullable()
        .default(null),
    })
    .default({ folders: null }),
  /** Unset: the provider's own. */
  temperature: z.number().min(0).max(2).optional(),
  max_tokens: z.number().int().min(1).max(100_000).optional(),
  /** Answers what no other agent is for. Exactly one agent has it. */
  default: z.boolean().default(false),
  /** Whether the classifier may pick it; else it answers only where a client names it. */
  routed: z.boolean().default(true),
});

export interface Agent {
  name: string;
  description: string;
  examples: string[];
  tools: string[];
  knowledge: { folders: string[] | null };
  temperature: number | undefined;
  maxTokens: number | undefined;
  isDefault: boolean;
  routed: boolean;
  prompt: string;
}

/** The agent that `text` describes; throws AgentFileError that names file and field. */
export function parseAgentFile(file: string, text: string): Agent {
  const match = /^\uFEFF?---[ \t]*\r?\n([\s\S]*?)\r?\n---[ \t]*(?:\r?\n|$)/.exec(text);
  if (match === null) throw new AgentFileError(file, 'must begin with front matter between two lines ---');
  const fields = readYaml(file, match[1] ?? '');
  const result = FrontMatter.safeParse(fields);
  if (!result.success) {
    const problems = result.error.issues.map(
      ({ path, message }) => `${path.join('.') || 'front matter'}: ${message}`,
    );
    throw new AgentFileError(file, problems.join('; '));
  }
  const prompt = text.slice(match[0].length).trim();
  if (prompt === '') throw new AgentFileError(file, 'the system prompt below the front matter is empty');
  const { default: isDefault, max_tokens: maxTokens, temperature, ...rest } = result.data;
  return { ...rest, temperature, maxTokens, isDefault, prompt };
}

function readYaml(file: string, yaml: string): unknown {
  try {
    // Aliases could blow a small file up; a description has no use for them.
    return parse(yaml, { maxAliasCount: 0, prettyErrors: true });
  } catch (error) {
    const where = error instanceof YAMLParseError ? error.message.split('\n')[0] : String(error);
    throw new AgentFileError(file, `front matter is no YAML: ${where}`, error);
  }
}
