/** The section `auth_middleware` of the configuration file. Source: seeds/000. */
import { readFile } from 'node:fs/promises';
import { ConfigError } from '@natter/runtime';
import { z } from 'zod';
import { fromRoot, type KeyConfig } from '../config.ts';

const MAX_BYTES = 1024 * 1024;

const ApiPath = z.string().refine(
  (text) => {
    const url = URL.parse(text);
    if (url === null || !/^https?:$/.test(url.protocol)) return false;
    // `/token?client_id=` is put behind it; a password belongs into a header.
    return url.search === '' && url.hash === '' && url.username === '' && url.password === '';
  },
  { error: 'must be an http or https URL without query, fragment and credentials' },
);

/** The seed requires both fields; a store that wants no headers has `{}`. */
const AuthMiddleware = z.strictObject({
  database_api_path: ApiPath,
  headers: z
    .record(z.string().max(128), z.string().max(4_096))
    .refine((headers) => Object.keys(headers).length <= 32, { error: 'must have at most 32 headers' })
    .refine(areHeaders, { error: 'must have names and values that HTTP allows' }),
});

/** Other sections are for others. */
const ConfigFile = z.object({ auth_middleware: AuthMiddleware.optional() });

export interface MiddlewareSettings {
  /** URL without a trailing slash. */
  path: string;
  headers: Record<string, string>;
}

/** Reads the section; null where no file is set or it has none. Throws ConfigError without any value. */
export async function loadMiddleware(config: KeyConfig): Promise<MiddlewareSettings | null> {
  if (config.configFile === null) return null;
  const file = fromRoot(config, config.configFile);
  const parsed = ConfigFile.safeParse(parse(await read(file), file));
  if (!parsed.success) {
    const issues = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw new ConfigError([`NATTER_CONFIG_FILE: ${file} can't be used: ${issues.join('; ')}`]);
  }
  const section = parsed.data.auth_middleware;
  if (section === undefined) return null;
  return { path: section.database_api_path.replace(/\/+$/, ''), headers: section.headers };
}

async function read(file: string): Promise<string> {
  try {
    const bytes = await readFile(file);
    if (bytes.byteLength <= MAX_BYTES) return bytes.toString('utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ConfigError([`NATTER_CONFIG_FILE: ${file} can't be read: ${why}`]);
  }
  throw new ConfigError([`NATTER_CONFIG_FILE: ${file} has more than ${MAX_BYTES} bytes`]);
}

function parse(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The message of the error quotes the text, and a header in it may be a secret.
    throw new ConfigError([`NATTER_CONFIG_FILE: ${file} is not JSON`]);
  }
}

function areHeaders(headers: Record<string, string>): boolean {
  try {
    new Headers(headers);
    return true;
  } catch {
    return false;
  }
}
