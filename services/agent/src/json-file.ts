/** Reads JSON files that whoever runs the service has written. */
import { readFile, stat } from 'node:fs/promises';
import type { z } from 'zod';

/** Mistakes named in one error; a file of another kind would have thousands. */
const MAX_PROBLEMS = 10;

/** A JSON file that can't be used; its message names the file and the field. */
export class JsonFileError extends Error {
  readonly code = 'JSON_FILE';

  constructor(file: string, problem: string, cause?: unknown) {
    super(`${file}: ${problem}`, { cause });
    this.name = 'JsonFileError';
  }
}

/** What the file holds, by its schema. Throws JsonFileError. */
export async function readJsonFile<T>(file: string, schema: z.ZodType<T>, maxBytes: number): Promise<T> {
  const result = schema.safeParse(parse(file, await read(file, maxBytes)));
  if (result.success) return result.data;
  const problems = result.error.issues
    .slice(0, MAX_PROBLEMS)
    .map(({ path, message }) => `${path.join('.') || 'the whole'}: ${message}`);
  throw new JsonFileError(file, problems.join('; '));
}

async function read(file: string, maxBytes: number): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size > maxBytes) throw new JsonFileError(file, `larger than ${maxBytes / 1_024} KiB`);
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
  } catch (error) {
    if (error instanceof JsonFileError) throw error;
    throw new JsonFileError(file, "can't be read as UTF-8 text", error);
  }
}

function parse(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new JsonFileError(file, `is no JSON: ${error instanceof Error ? error.message : error}`, error);
  }
}
