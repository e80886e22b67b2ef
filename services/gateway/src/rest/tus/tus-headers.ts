/** Reads the request headers of tus 1.0.0. Source: tus.io, resumable upload protocol 1.0.0. */
import { createHash, timingSafeEqual } from 'node:crypto';

export const TUS_VERSION = '1.0.0';
export const CHECKSUM_ALGORITHMS = ['sha256', 'sha1'] as const;

/** Bytes of Upload-Metadata; names of files are the most of it. */
const METADATA_CHARS = 4_096;

/** A number of bytes, at most 2^53 - 1; null for anything else. */
export function byteCount(text: string): number | null {
  const count = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(count) ? count : null;
}

/**
 * Pairs of a key and a value in base64, parted by commas; the value may be missing.
 *
 * Null for what is no such list: values must be UTF-8, keys unique.
 */
export function uploadMetadata(text: string): Map<string, string> | null {
  const metadata = new Map<string, string>();
  if (text.length > METADATA_CHARS) return null;
  if (text.trim() === '') return metadata;
  for (const pair of text.split(',')) {
    const [key = '', value = '', ...more] = pair.trim().split(' ');
    const plain = fromBase64(value);
    if (!/^[\x21-\x2b\x2d-\x7e]+$/.test(key) || more.length > 0 || plain === null || metadata.has(key))
      return null;
    try {
      metadata.set(key, new TextDecoder('utf-8', { fatal: true }).decode(plain));
    } catch {
      return null;
    }
  }
  return metadata;
}

export interface UploadChecksum {
  matches(body: Uint8Array): boolean;
}

/** `sha256 <base64>`; null for another shape or algorithm. */
export function uploadChecksum(text: string): UploadChecksum | null {
  const [name, encoded = '', ...more] = text.split(' ');
  const algorithm = CHECKSUM_ALGORITHMS.find((known) => known === name);
  const expected = fromBase64(encoded);
  if (algorithm === undefined || expected === null || expected.length === 0 || more.length > 0) return null;
  return {
    matches: (body) => {
      const digest = createHash(algorithm).update(body).digest();
      return digest.length === expected.length && timingSafeEqual(digest, expected);
    },
  };
}

/** Strictly: what Node skips, it does not write again. */
function fromBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : null;
}
