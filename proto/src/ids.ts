/**
 * Ids from clients, encoded to a fixed alphabet before they touch a subject or a key.
 *
 * A client may choose `>`, `a.b`, an emoji or `$JS.API.>` as its session id. On the bus it
 * becomes one subject token of `A-Z a-z 0-9 - _ =`, and two ids never share a token.
 */
import { LIMITS } from './limits.ts';

const utf8 = new TextEncoder();

/** Most ids and tokens: the same in both, and known to be well-formed at a glance. */
const PLAIN = /^[A-Za-z0-9-]+$/;

/** Whether a client may use this string as an id: 1 to 128 bytes of well-formed text. */
export function isClientId(id: string): boolean {
  if (id.length === 0 || id.length > LIMITS.idBytes) return false;
  if (PLAIN.test(id)) return true;
  return isWellFormed(id) && utf8.encode(id).length <= LIMITS.idBytes;
}

/** Lone surrogates would all encode to U+FFFD, and two ids would share a token. */
function isWellFormed(text: string): boolean {
  try {
    encodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** One subject token for an id: letters, digits and `-` stay, every other byte becomes `_hh`. */
export function encodeToken(id: string): string {
  if (PLAIN.test(id)) return id;
  let token = '';
  for (const byte of utf8.encode(id)) {
    token += isPlain(byte) ? String.fromCharCode(byte) : `_${byte.toString(16).padStart(2, '0')}`;
  }
  return token;
}

function isPlain(byte: number): boolean {
  const digit = byte >= 0x30 && byte <= 0x39;
  const upper = byte >= 0x41 && byte <= 0x5a;
  const lower = byte >= 0x61 && byte <= 0x7a;
  return digit || upper || lower || byte === 0x2d;
}

/**
 * The bus-wide key of a conversation: its owner and the name the owner gave it, one token.
 *
 * The owner is part of the key, so nobody reaches another person's conversation by guessing
 * its name. `=` cannot come out of `encodeToken`, so the two halves stay apart.
 */
export function conversationKey(owner: string, name: string): string {
  return `${encodeToken(owner)}=${encodeToken(name)}`;
}

/** The id behind a token of `encodeToken`; null for a text it can't have made. */
export function decodeToken(token: string): string | null {
  if (PLAIN.test(token)) return token;
  if (!/^(?:[A-Za-z0-9-]|_[0-9a-f]{2})+$/.test(token)) return null;
  try {
    const id = decodeURIComponent(token.replaceAll('_', '%'));
    // `_67ateway` is no other spelling of `gateway`: who may publish the one may not the other.
    return encodeToken(id) === token ? id : null;
  } catch {
    return null;
  }
}

/**
 * The key of a room's conversation: nobody owns it, so it begins with `=`, which no owner's can.
 *
 * `life` is made anew each time a room of this id is created, so that nobody reads what was said
 * in a deleted room of the same id.
 */
export function roomKey(id: string, life: string): string {
  return `=${encodeToken(id)}=${encodeToken(life)}`;
}

/** Whose conversation a key names: a person's, by the name they gave it, or a room's by its id. */
export type ConversationName = { owner: string; name: string } | { room: string };

/** What a key was made of; null for a text that is none. */
export function conversationName(key: string): ConversationName | null {
  const parts = key.split('=').map((part) => (part === '' ? '' : decodeToken(part)));
  const [first, second, third] = parts;
  if (parts.length === 2 && first && second) return { owner: first, name: second };
  if (parts.length === 3 && first === '' && second && third) return { room: second };
  return null;
}

/**
 * Subjects of principals that no token may claim: anonymous sessions and the holder of the master
 * token. The auth service refuses tokens with such a `sub`.
 */
export const RESERVED_SUB_PREFIX = 'natter:';

/**
 * The bus-wide key of a customer: the user who asks, and the customer id they name.
 *
 * Customer ids come from clients, so each user has customers of their own: naming somebody
 * else's shows nothing of theirs.
 */
export function customerKey(user: string, customerId: string): string {
  return conversationKey(user, customerId);
}
