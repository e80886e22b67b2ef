/** The text of an API key: `nk_<id>_<secret>`. */
import { hash, randomBytes, randomInt } from 'node:crypto';
import { API_KEY_PREFIX } from '@natter/proto';

const ID_CHARS = 'abcdefghijklmnopqrstuvwxyz0123456789';
const ID_LENGTH = 16;
/** 43 characters of base64url. */
const SECRET_BYTES = 32;

const KEY = new RegExp(`^${API_KEY_PREFIX}([a-z0-9]{${ID_LENGTH}})_[A-Za-z0-9_-]{43}$`);

/** A new key, of 256 random bits; its id is random too, and no secret. */
export function newApiKey(): { id: string; key: string } {
  const id = Array.from({ length: ID_LENGTH }, () => ID_CHARS[randomInt(ID_CHARS.length)]).join('');
  return { id, key: `${API_KEY_PREFIX}${id}_${randomBytes(SECRET_BYTES).toString('base64url')}` };
}

/** The id in a text that has the shape of a key, or null. */
export function idOfApiKey(text: string): string | null {
  return KEY.exec(text)?.[1] ?? null;
}

/**
 * What is stored of a key: the SHA-256 of all of its text, in hex.
 *
 * A plain hash is enough: nobody tries 2^256 texts, whoever has read the bucket.
 */
export function digestOf(key: string): string {
  return hash('sha256', key, 'hex');
}
