/** Secrets that are set, or generated into the data folder where they are not. */
import { randomBytes } from 'node:crypto';
import { ConfigError } from '@natter/runtime';
import { readOrCreateKeyFile } from './key-file.ts';

/** 256 bits, in base64url. */
const BYTES = 32;

/** The secret of a setting, or of its file; the file is made, mode 0600. Throws ConfigError. */
export async function settingOrFile(name: string, value: string | null, file: string): Promise<string> {
  if (value !== null) return value;
  const secret = await read(name, file);
  // Such as a file that was emptied: an empty secret would open the door to everybody.
  if (Buffer.byteLength(secret) < BYTES)
    throw new ConfigError([`${name}: ${file} has less than ${BYTES} bytes; delete it, or set ${name}`]);
  return secret;
}

async function read(name: string, file: string): Promise<string> {
  try {
    return (await readOrCreateKeyFile(file, () => randomBytes(BYTES).toString('base64url'))).trim();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ConfigError([`${name}: is unset, and none can be kept in ${file}: ${why}`]);
  }
}
