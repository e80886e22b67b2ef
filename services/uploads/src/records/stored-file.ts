/** What the buckets keep of files and uploads, beyond what others are told. */
import { FileId, FileRecord, UploadRecord } from '@natter/proto';
import { z } from 'zod';

/** Names one attempt to store one file: the file's id and eight hexadecimal digits. */
export const ObjectKey = z.string().regex(/^[0-9a-f-]{36}-[0-9a-f]{8}$/);

/** Where the bytes of a file are. */
export const Placement = z.discriminatedUnion('store', [
  z.object({
    store: z.literal('nats'),
    key: ObjectKey,
    /** Bytes of each message but the last. */
    messageBytes: z.number().int().positive(),
    /** Sequences of the messages, so that a range needs no search. */
    seqs: z.array(z.number().int().positive()).max(1_024),
  }),
  z.object({ store: z.literal('folder'), key: ObjectKey }),
]);
export type Placement = z.infer<typeof Placement>;

/** Value of the bucket `files`. */
export const StoredFile = z.object({ file: FileRecord, placement: Placement });
export type StoredFile = z.infer<typeof StoredFile>;

/** Value of the bucket `uploads`. */
export const StoredUpload = z.object({
  upload: UploadRecord,
  /** The file it has become: from here on nothing can refuse it, and anybody can complete it. */
  decided: StoredFile.nullable(),
});
export type StoredUpload = z.infer<typeof StoredUpload>;

/** Value of `attempt.<file>.<suffix>`: bytes are being written or taken away under this key. */
export const Attempt = z.object({
  key: ObjectKey,
  store: z.enum(['nats', 'folder']),
  id: FileId,
  owner: z.string(),
  conversation: z.string().nullable(),
  /** When it began, in milliseconds since 1970. */
  at: z.number().int(),
  /** A sweep has taken it over: whoever wrote must give up. */
  swept: z.boolean(),
});
export type Attempt = z.infer<typeof Attempt>;

const decoder = new TextDecoder();

/** A value of a bucket; throws for one that nobody of us has written. */
export function readValue<T>(schema: z.ZodType<T>, value: Uint8Array): T {
  return schema.parse(JSON.parse(decoder.decode(value)));
}
