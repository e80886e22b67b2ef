/** From `file_upload` and binary frames of rooms-v1 to a command. Source: seeds/004, File Uploads. */
import { type ErrorCode, LIMITS } from '@natter/proto';
import type { z } from 'zod';
import type { Decoded, UploadCommand } from '../../session/dialect.ts';
import { FinalizeFields, InitFields, UploadFields } from './frames.ts';

type Fields = Record<string, unknown>;

/** First byte of a binary frame. */
const VERSION = 1;
const ID_BYTES = 16;
/** Version, id of the file, index of the part. */
export const BINARY_HEADER_BYTES = 1 + ID_BYTES + 4;

/** By `upload_type`; like the types of frames a map. */
const STEPS: ReadonlyMap<unknown, (fields: Fields) => Decoded> = new Map([
  ['init', init],
  ['chunk', chunk],
  ['finalize', finalize],
  ['status', (fields: Fields): Decoded => aboutFile('status', fields)],
  ['cancel', (fields: Fields): Decoded => aboutFile('cancel', fields)],
]);

export function decodeUpload(fields: Fields): Decoded {
  return STEPS.get(fields.upload_type)?.(fields) ?? invalidField('upload_type');
}

/** One part: version, 16 bytes of the file's id, 4 of its index, big-endian, then its bytes. */
export function decodeBinary(bytes: Uint8Array): Decoded {
  // JSON in a binary frame begins with a brace; this wire has never taken it.
  if (bytes[0] !== VERSION) return { ok: false, code: 'INVALID_JSON' };
  if (bytes.length < BINARY_HEADER_BYTES) return { ok: false, code: 'CHUNK_INVALID' };
  const header = Buffer.from(bytes.buffer, bytes.byteOffset, BINARY_HEADER_BYTES);
  const file = uuid(header.toString('hex', 1, 1 + ID_BYTES));
  return part(file, header.readUInt32BE(1 + ID_BYTES), null, bytes.subarray(BINARY_HEADER_BYTES));
}

function uuid(hex: string): string {
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function init(fields: Fields): Decoded {
  const parsed = InitFields.safeParse(fields);
  if (!parsed.success) return invalidField(firstOf(parsed.error));
  const { file_name, file_size, mime_type, room_id, conversation_id, message_id } = parsed.data;
  return upload({
    type: 'upload',
    step: 'init',
    fileName: file_name,
    size: file_size,
    declaredType: mime_type,
    room: room_id,
    conversation: conversation_id,
    messageId: message_id,
  });
}

/** Not by a schema: a part of 1 MiB should not be looked at more often than it must. */
function chunk({ file_id, chunk_index, total_chunks, chunk_data }: Fields): Decoded {
  const id = UploadFields.safeParse({ file_id });
  if (!id.success) return invalidField('file_id');
  const file = id.data.file_id;
  const total = total_chunks ?? null;
  if (!isIndex(chunk_index)) return badChunk(file, null, 'chunk_index');
  if (total !== null && !(isIndex(total) && total > chunk_index && total <= LIMITS.chunksPerUpload))
    return badChunk(file, chunk_index, 'total_chunks');
  const data = dataOf(chunk_data);
  return data === null
    ? badChunk(file, chunk_index, 'chunk_data')
    : part(file, chunk_index, total as number | null, data);
}

function part(file: string, index: number, total: number | null, data: Uint8Array): Decoded {
  if (index >= LIMITS.chunksPerUpload) return badChunk(file, index, 'chunk_index');
  if (data.length === 0) return badChunk(file, index, 'chunk_data');
  return upload({ type: 'upload', step: 'chunk', file, index, total, data });
}

/** Already bytes where the frame was one that `parseChunkFrame` takes; JSON has none. */
function dataOf(value: unknown): Uint8Array | null {
  if (value instanceof Uint8Array) return value;
  return typeof value === 'string' ? fromBase64(value) : null;
}

/** RFC 4648 section 4, strictly: what Node skips, it does not write again. Null for anything else. */
function fromBase64(text: string): Uint8Array | null {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : null;
}

function finalize(fields: Fields): Decoded {
  const parsed = FinalizeFields.safeParse(fields);
  if (!parsed.success) return invalidField(firstOf(parsed.error));
  const { file_id: file, checksum: sha256 } = parsed.data;
  return upload({ type: 'upload', step: 'finalize', file, sha256 });
}

function aboutFile(step: 'status' | 'cancel', fields: Fields): Decoded {
  const parsed = UploadFields.safeParse(fields);
  return parsed.success
    ? upload({ type: 'upload', step, file: parsed.data.file_id })
    : invalidField(firstOf(parsed.error));
}

function upload(command: UploadCommand): Decoded {
  return { ok: true, command };
}

function isIndex(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function badChunk(file: string, chunk: number | null, detail: string): Decoded {
  const code: ErrorCode = 'CHUNK_INVALID';
  return { ok: false, code, detail, file, ...(chunk === null ? {} : { chunk }) };
}

function invalidField(detail: string): Decoded {
  return { ok: false, code: 'INVALID_FIELD', detail };
}

/** A schema's own key, never a text of the peer's. */
function firstOf(error: z.ZodError): string {
  return String(error.issues[0]?.path[0] ?? 'data');
}
