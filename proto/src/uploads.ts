/** Uploads and files: what gateways ask the uploads service, and what is kept of a file. */
import { z } from 'zod';
import { ERRORS, type ErrorCode } from './errors.ts';
import { LIMITS } from './limits.ts';

const Sub = z.string().min(1).max(LIMITS.idBytes);
const Time = z.number().int().nonnegative();
const Bytes = z.number().int().nonnegative();

/** Random, RFC 9562 version 4, in lower case: nobody guesses one. */
export const FileId = z
  .string()
  .regex(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);

/** SHA-256 in lower-case hex. */
export const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/**
 * How the parts of an upload are named. `indexed`: by the client, 0 to total - 1, in any order
 * (WebSocket). `sequential`: by their offset, each where the ones before it end (tus).
 */
export const UploadMode = z.enum(['indexed', 'sequential']);
export type UploadMode = z.infer<typeof UploadMode>;

/** An upload under way; kept until it is finished, or has expired. */
export const UploadRecord = z.object({
  id: FileId,
  owner: Sub,
  ownerName: z.string().max(256).nullable(),
  /** Key of the conversation it is for: a room's, or one of the owner's own. Null: for nobody else. */
  conversation: z.string().min(3).max(1024).nullable(),
  /** Made safe: one line, no path, at most 255 bytes. */
  name: z.string().min(1).max(255),
  size: Bytes,
  /** As declared; what is served follows the content. */
  declaredType: z.string().max(127).nullable(),
  mode: UploadMode,
  /** Of `indexed`: how many parts there are; null until the first one has said so. */
  totalChunks: z.number().int().positive().max(LIMITS.chunksPerUpload).nullable(),
  createdAt: Time,
  expiresAt: Time,
  /** Refused for good, with this code: its parts are gone. */
  refused: z.string().max(64).nullable(),
});
export type UploadRecord = z.infer<typeof UploadRecord>;

/** `ready` is served. `quarantined`: the scanner has not judged it yet. `infected` is never served. */
export const FileState = z.enum(['ready', 'quarantined', 'infected']);
export type FileState = z.infer<typeof FileState>;

/** A finished file. */
export const FileRecord = z.object({
  id: FileId,
  owner: Sub,
  ownerName: z.string().max(256).nullable(),
  conversation: z.string().min(3).max(1024).nullable(),
  name: z.string().min(1).max(255),
  size: Bytes,
  sha256: Sha256,
  /** By its content, never by what the client said. */
  type: z.string().max(127),
  /** Whether a browser may show it in place: images but SVG. */
  inline: z.boolean(),
  state: FileState,
  createdAt: Time,
});
export type FileRecord = z.infer<typeof FileRecord>;

const who = { sub: Sub, id: FileId };

/** Parts of a sequential upload: each PATCH that breaks off leaves one that is shorter than it might be. */
export const SEQUENTIAL_PARTS = 4 * LIMITS.chunksPerUpload;

/** One part as CHUNKS has it: its index, or its offset in a sequential upload, and its length. */
export const StoredPart = z.object({
  at: z.number().int().nonnegative(),
  length: z.number().int().positive(),
});
export type StoredPart = z.infer<typeof StoredPart>;

/** The last token of `SUBJECTS.chunk`. */
export function partName({ at, length }: StoredPart): string {
  return `${at}-${length}`;
}

/** Parts of which a gateway tells at once, at most. */
export const PARTS_TO_SETTLE = 256;

/** Parts that an answer names: of several gateways, each of which takes no more than `SEQUENTIAL_PARTS`. */
const PARTS_NAMED = 4 * SEQUENTIAL_PARTS;

/**
 * On `SUBJECTS.uploads`, answered by any uploads service. `sub` is who asks; the gateway has seen
 * their token, and that they may be in `conversation`.
 *
 * A request is the length of its JSON (4 bytes, big-endian), and the JSON; an answer has bytes behind it.
 */
export const UploadsRequest = z.discriminatedUnion('op', [
  z.object({
    op: z.literal('init'),
    sub: Sub,
    name: z.string().max(256).nullable(),
    fileName: z.string().max(65_536),
    size: z.number().int(),
    declaredType: z.string().max(1_024).nullable(),
    conversation: z.string().min(3).max(1024).nullable(),
    mode: UploadMode,
  }),
  /**
   * What has arrived, after parts that this gateway has stored since it asked last, maybe none, were
   * judged together with those of others. Whoever stores parts asks this soon after.
   *
   * `total`: how many there are, as the client says; the first to say it decides.
   */
  z.object({
    op: z.literal('settle'),
    ...who,
    total: z.number().int().positive().nullable(),
    stored: z.array(StoredPart).max(PARTS_TO_SETTLE),
  }),
  /** What has arrived; also of a finished file. */
  z.object({ op: z.literal('status'), ...who }),
  /** `sha256` null where the protocol has none (tus). Repeating it is harmless. */
  z.object({ op: z.literal('finalize'), ...who, sha256: z.string().max(1_024).nullable() }),
  z.object({ op: z.literal('cancel'), ...who }),
  /** A finished file, whoever asks: the gateway judges who may see it. */
  z.object({ op: z.literal('file'), id: FileId }),
  /** Bytes of a file that is `ready`; at most `READ_BYTES`. */
  z.object({ op: z.literal('read'), id: FileId, offset: Bytes, length: z.number().int().positive() }),
  /** Files of a conversation, or of an owner, newest first, at most 1,000. */
  z.object({
    op: z.literal('list'),
    of: z.union([z.object({ conversation: z.string().max(1024) }), z.object({ owner: Sub })]),
  }),
  /** The gateway has seen that they may. */
  z.object({ op: z.literal('delete'), id: FileId }),
]);
export type UploadsRequest = z.infer<typeof UploadsRequest>;

/** Most bytes of one `read`. */
export const READ_BYTES = 1024 * 1024;

/** What has arrived of an upload. */
export const UploadProgress = z.object({
  id: FileId,
  name: z.string(),
  conversation: z.string().nullable(),
  size: Bytes,
  mode: UploadMode,
  /** Of `indexed`: indexes that have arrived, ascending. Of `sequential`: empty. */
  received: z.array(z.number().int().nonnegative()).max(LIMITS.chunksPerUpload),
  totalChunks: z.number().int().positive().nullable(),
  /** Of `sequential`: bytes without a gap from the start. Of `indexed`: bytes that have arrived. */
  offset: Bytes,
  expiresAt: Time,
});
export type UploadProgress = z.infer<typeof UploadProgress>;

export const UploadsReply = z.discriminatedUnion('ok', [
  z.object({
    ok: z.literal(true),
    /** Of `init`, `settle`, and of `status` while it is under way. */
    progress: UploadProgress.optional(),
    /** With `progress`: the parts that have arrived, in no order. */
    parts: z.array(StoredPart).max(PARTS_NAMED).optional(),
    /** Of `finalize` and `file`, and of `status` once it is finished. */
    file: FileRecord.optional(),
    /** Of `list`. */
    files: z.array(FileRecord).max(1_000).optional(),
  }),
  z.object({
    ok: z.literal(false),
    code: z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]),
    /** For the client; at most 200 characters, no internals. */
    detail: z.string().max(200).optional(),
    /** Of UPLOAD_INCOMPLETE: the first of the indexes that are missing. */
    missing: z.array(z.number().int().nonnegative()).max(1_000).optional(),
    correlationId: z.string().max(64).optional(),
  }),
]);
export type UploadsReply = z.infer<typeof UploadsReply>;

/** On `SUBJECTS.liveOut` and in a conversation's log: what members see of a file. */
export const FileShared = z.object({
  type: z.literal('file.shared'),
  file: FileId,
  name: z.string().min(1).max(255),
  size: Bytes,
  /** By its content. */
  contentType: z.string().max(127),
  sha256: Sha256,
  sub: Sub,
  subName: z.string().max(256).nullable(),
  at: Time,
});
export type FileShared = z.infer<typeof FileShared>;

/** The text of a file of a conversation, as agents search it; key of the bucket `file_texts`. */
export const FileText = z.object({ id: FileId, name: z.string().min(1).max(255), text: z.string() });
export type FileText = z.infer<typeof FileText>;

/** Most characters of a file's text that are kept: its JSON stays below the broker's max_payload. */
export const FILE_TEXT_CHARS = 300_000;

/** A request or a reply as bytes: JSON and what comes behind it. */
export function packUpload(json: unknown, bytes: Uint8Array = new Uint8Array()): Uint8Array {
  const head = new TextEncoder().encode(JSON.stringify(json));
  const packed = new Uint8Array(4 + head.length + bytes.length);
  new DataView(packed.buffer).setUint32(0, head.length);
  packed.set(head, 4);
  packed.set(bytes, 4 + head.length);
  return packed;
}

/** Undoes `packUpload`; `bytes` is a view. Null for what it can't have made. */
export function unpackUpload(packed: Uint8Array): { json: unknown; bytes: Uint8Array } | null {
  if (packed.length < 4) return null;
  const length = new DataView(packed.buffer, packed.byteOffset).getUint32(0);
  if (length > packed.length - 4) return null;
  try {
    const json: unknown = JSON.parse(new TextDecoder().decode(packed.subarray(4, 4 + length)));
    return { json, bytes: packed.subarray(4 + length) };
  } catch {
    return null;
  }
}
