/** POST: begins an upload. Source: tus 1.0.0, Creation. */
import { conversationKey, isClientId } from '@natter/proto';
import { keyOfRoom } from '../../bus/conversation-access.ts';
import { errorReply, type HttpReply } from '../route.ts';
import type { SignedInRequest } from '../signed-in.ts';
import { uploadsRefusal } from '../uploads-refusal.ts';
import { askerOf, empty, expires, type TusDeps, tellProgress } from './tus-deps.ts';
import { byteCount, uploadMetadata } from './tus-headers.ts';

export async function createUpload(deps: TusDeps, request: SignedInRequest): Promise<HttpReply> {
  const { principal, trace } = request;
  const correlationId = trace.traceId;
  const invalid = (detail: string) => errorReply('INVALID_FIELD', { correlationId, fields: { detail } });
  // The extension creation-defer-length is none of ours.
  if (request.header('upload-defer-length') !== '') return invalid('Upload-Defer-Length');
  const size = byteCount(request.header('upload-length'));
  if (size === null) return invalid('Upload-Length');
  if (size > deps.maxFileBytes) return errorReply('FILE_TOO_LARGE', { correlationId });
  const metadata = uploadMetadata(request.header('upload-metadata'));
  if (metadata === null) return invalid('Upload-Metadata');
  const retryAfter = await deps.rates.take('user', principal.sub);
  if (retryAfter > 0) return errorReply('RATE_LIMIT', { correlationId, retryAfter });
  const target = await conversationOf(deps, request, metadata);
  if ('reply' in target) return target.reply;
  const answer = await deps.uploads.ask({
    op: 'init',
    ...{ sub: principal.sub, name: principal.name, size, mode: 'sequential' },
    // Uppy calls them name and type.
    fileName: metadata.get('filename') ?? metadata.get('name') ?? '',
    declaredType: (metadata.get('filetype') ?? metadata.get('type'))?.slice(0, 1_024) || null,
    conversation: target.key,
  });
  if (!answer.ok) return uploadsRefusal(answer, correlationId);
  const { progress } = answer;
  if (progress === undefined) throw new Error('the uploads service answered no progress');
  tellProgress(deps, request, progress);
  const headers = { location: `/api/v1/uploads/${progress.id}`, 'x-natter-file-id': progress.id };
  return empty(201, { ...headers, ...expires(progress) });
}

async function conversationOf(
  { rooms }: TusDeps,
  request: SignedInRequest,
  metadata: Map<string, string>,
): Promise<{ key: string | null } | { reply: HttpReply }> {
  const correlationId = request.trace.traceId;
  const room = metadata.get('room_id') || null;
  const conversation = metadata.get('conversation_id') || null;
  for (const [name, id] of Object.entries({ room_id: room, conversation_id: conversation }))
    if (id !== null && !isClientId(id))
      return { reply: errorReply('INVALID_FIELD', { correlationId, fields: { detail: name } }) };
  if (room === null)
    return { key: conversation === null ? null : conversationKey(request.principal.sub, conversation) };
  const found = await keyOfRoom(rooms, askerOf(request), room);
  return found.ok ? { key: found.key } : { reply: errorReply(found.code, { correlationId }) };
}
