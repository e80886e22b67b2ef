import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { digestOf, idOfApiKey, newApiKey } from '../../src/api-keys/api-key-text.ts';

/** Of 1,000 honest bits at least one is 0 and one is 1, but for once in 2^999. */
const KEYS = 1_000;

describe('a new key', () => {
  it('[apikeys/random] has 256 bits that are each 0 and 1 in turn, and never the same twice', () => {
    const texts = Array.from({ length: KEYS }, () => newApiKey().key.slice(-43));
    const secrets = texts.map((text) => Buffer.from(text, 'base64url'));
    // Nothing of the bytes is lost in the text.
    expect(secrets.map((secret) => secret.toString('base64url'))).toEqual(texts);
    expect(new Set(secrets.map(({ length }) => length))).toEqual(new Set([32]));
    expect(new Set(texts).size).toBe(KEYS);
    for (let bit = 0; bit < 256; bit += 1) {
      const values = secrets.map((secret) => ((secret[bit >> 3] ?? 0) >> (bit & 7)) & 1);
      expect([bit, new Set(values).size]).toEqual([bit, 2]);
    }
  });

  it('has an id of its own, by which it is found', () => {
    const keys = Array.from({ length: KEYS }, newApiKey);
    expect(new Set(keys.map(({ id }) => id)).size).toBe(KEYS);
    for (const { id, key } of keys) expect(idOfApiKey(key)).toBe(id);
  });
});

it('[apikeys/hashed] the digest of a key is the SHA-256 of its whole text', () => {
  const { key } = newApiKey();
  expect(digestOf(key)).toBe(hash('sha256', key, 'hex'));
  expect(digestOf(key)).not.toContain(key.slice(-43));
});
