/** PATCH: stores the next bytes of an upload; the last ones finish it. Source: tus 1.0.0, Core, Checksum. */
import type { UploadProgress } from '@natter/proto';
import { errorReply, type HttpReply } from '../route.ts';
import type { SignedInRequest } from '../signed-in.ts';
import { uploadsRefusal } from '../uploads-refusal.ts';
import { PartWriter } from './part-writer.ts';
import {
  empty,
  expires,
  fileHeaders,
  findUpload,
  finishUpload,
  type TusDeps,
  tellOfPart,
} from './tus-deps.ts';
import { byteCount, type UploadChecksum, uploadChecksum } from './tus-headers.ts';

/** A body with a checksum is held until it was checked. */
const CHECKED_BYTES = 8 * 1024 * 1024;

/** Status of tus for a body of another checksum; no other protocol has it. */
const CHECKSUM_STATUS = 460;

export async function appendUpload(deps: TusDeps, request: SignedInRequest, id: string): Promise<HttpReply> {
  const correlationId = request.trace.traceId;
  const invalid = (detail: string) => errorReply('INVALID_FIELD', { correlationId, fields: { detail } });
  const [type = ''] = request.header('content-type').split(';');
  if (type.trim().toLowerCase() !== 'application/offset+octet-stream')
    return { ...invalid('Content-Type'), status: 415 };
  const offset = byteCount(request.header('upload-offset'));
  if (offset === null) return invalid('Upload-Offset');
  const checksum = request.header('upload-checksum');
  const expected = checksum === '' ? null : uploadChecksum(checksum);
  if (checksum !== '' && expected === null) return invalid('Upload-Checksum');
  const found = await findUpload(deps, request, id);
  if ('reply' in found) return found.reply;
  const at = 'file' in found ? found.file.size : found.progress.offset;
  if (offset !== at) return errorReply('UPLOAD_OFFSET_CONFLICT', { correlationId });
  // The answer to the last PATCH was lost.
  if ('file' in found) return empty(204, fileHeaders(found.file));
  return receive(deps, request, found.progress, expected);
}

async function receive(
  deps: TusDeps,
  request: SignedInRequest,
  before: UploadProgress,
  checksum: UploadChecksum | null,
): Promise<HttpReply> {
  const correlationId = request.trace.traceId;
  let progress = before;
  const writer = new PartWriter({
    uploads: deps.uploads,
    ...{ sub: request.principal.sub, id: before.id, offset: before.offset },
    maxChunkBytes: deps.maxChunkBytes,
    stored: () => {
      progress = { ...progress, offset: writer.offset };
      tellOfPart(deps, request, progress);
    },
  });
  if (checksum === null) await writeAll(writer, request);
  else {
    const refused = await writeChecked(writer, request, checksum);
    if (refused !== null) return refused;
  }
  if (writer.refusal !== null) return uploadsRefusal(writer.refusal, correlationId);
  if (progress.offset !== progress.size)
    return empty(204, { 'upload-offset': String(progress.offset), ...expires(progress) });
  const finished = await finishUpload(deps, request, progress);
  return 'file' in finished ? empty(204, fileHeaders(finished.file)) : finished.reply;
}

/** What came before the client went away is kept, also of a part that is not full. */
async function writeAll(writer: PartWriter, request: SignedInRequest): Promise<void> {
  try {
    for await (const piece of request.pieces) {
      await writer.add(piece);
      if (writer.refusal !== null) return;
    }
  } finally {
    await writer.end();
  }
}

async function writeChecked(
  writer: PartWriter,
  request: SignedInRequest,
  checksum: UploadChecksum,
): Promise<HttpReply | null> {
  const correlationId = request.trace.traceId;
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of request.pieces) {
    size += piece.length;
    if (size > CHECKED_BYTES) return errorReply('BODY_TOO_LARGE', { correlationId });
    pieces.push(piece);
  }
  const body = Buffer.concat(pieces);
  if (!checksum.matches(body))
    return { ...errorReply('CHECKSUM_MISMATCH', { correlationId }), status: CHECKSUM_STATUS };
  await writer.add(body);
  await writer.end();
  return null;
}
