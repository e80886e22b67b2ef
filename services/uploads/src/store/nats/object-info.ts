/** The format of NATS object stores: subjects, and the JSON that describes an object (ADR-20). */
import type { WrittenFile } from '../file-store.ts';

/** Name of the object store behind `STREAMS.files`. */
const STORE = 'files';

/** Where the bytes of an object are, one message after the other. */
export function bytesSubject(key: string): string {
  return `$O.${STORE}.C.${key}`;
}

/** Where an object is described: the last token is its name in base64url, padded. */
export function infoSubject(key: string): string {
  return `$O.${STORE}.M.${padded(Buffer.from(key).toString('base64url'))}`;
}

/** The key is the object's name and its nuid: both name one attempt to store one file. */
export function objectInfo(key: string, file: WrittenFile, messages: { count: number; bytes: number }) {
  return {
    name: key,
    description: file.name,
    headers: { 'Content-Type': [file.type] },
    options: { max_chunk_size: messages.bytes },
    bucket: STORE,
    nuid: key,
    size: file.size,
    chunks: messages.count,
    digest: `SHA-256=${padded(Buffer.from(file.sha256, 'hex').toString('base64url'))}`,
  };
}

/** Node writes base64url without padding; the tools compare with it. */
function padded(text: string): string {
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=');
}
