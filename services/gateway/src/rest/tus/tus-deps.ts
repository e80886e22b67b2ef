/** What the parts of tus share: whom they ask, and how an upload ends. */
import { ERRORS, type FileRecord, type UploadProgress } from '@natter/proto';
import { mayBeIn } from '../../bus/conversation-access.ts';
import type { RateStore } from '../../bus/rate-store.ts';
import type { RoomsClient } from '../../bus/rooms-client.ts';
import type { UploadsClient } from '../../bus/uploads-client.ts';
import { type FileProgress, type ProgressFrames, progressEvent } from '../../session/progress-frames.ts';
import { errorReply, type HttpReply } from '../route.ts';
import { isAdmin, type SignedInRequest, type SignInDeps } from '../signed-in.ts';
import { uploadsRefusal } from '../uploads-refusal.ts';

export interface TusDeps extends SignInDeps {
  uploads: Pick<UploadsClient, 'ask' | 'put'>;
  rooms: Pick<RoomsClient, 'ask'>;
  /** What a user does, over all gateways. */
  rates: Pick<RateStore, 'take'>;
  progress: Pick<ProgressFrames, 'say' | 'sayIf'>;
  maxFileBytes: number;
  maxChunkBytes: number;
}

export function askerOf({ principal }: SignedInRequest) {
  return { sub: principal.sub, name: principal.name, admin: isAdmin(principal) };
}

/** An upload of tus that is under way, or the file it became, or why there is neither. */
export async function findUpload(
  deps: TusDeps,
  request: SignedInRequest,
  id: string,
): Promise<{ progress: UploadProgress } | { file: FileRecord } | { reply: HttpReply }> {
  const { principal, trace } = request;
  const answer = await deps.uploads.ask({ op: 'status', sub: principal.sub, id });
  if (!answer.ok) return { reply: uploadsRefusal(answer, trace.traceId) };
  if (answer.file !== undefined) return { file: answer.file };
  // One of a WebSocket has no offset to go on from.
  if (answer.progress?.mode !== 'sequential')
    return { reply: errorReply('UPLOAD_NOT_FOUND', { correlationId: trace.traceId }) };
  return { progress: answer.progress };
}

/** All bytes are there: checks, scans and stores the file. */
export async function finishUpload(
  deps: TusDeps,
  request: SignedInRequest,
  progress: UploadProgress,
): Promise<{ file: FileRecord } | { reply: HttpReply }> {
  const { principal, trace } = request;
  const { id, conversation } = progress;
  // Who was thrown out of the room meanwhile must not show anything there.
  if (conversation !== null && !(await mayBeIn(deps.rooms, askerOf(request), conversation)))
    return { reply: errorReply('ROOM_DENIED', { correlationId: trace.traceId }) };
  const answer = await deps.uploads.ask({ op: 'finalize', sub: principal.sub, id, sha256: null });
  if (!answer.ok) {
    if (!ERRORS[answer.code].retry && answer.code !== 'UPLOAD_NOT_FOUND')
      tellProgress(deps, request, progress, 'refused');
    return { reply: uploadsRefusal(answer, trace.traceId) };
  }
  if (answer.file === undefined) throw new Error('the uploads service answered no file');
  if (answer.file.state === 'quarantined') tellProgress(deps, request, progress, 'quarantined');
  return { file: answer.file };
}

/** Those who watch the conversation see how far it is. */
export function tellProgress(
  deps: TusDeps,
  { principal }: SignedInRequest,
  progress: UploadProgress,
  status: FileProgress['status'] = 'receiving',
): void {
  const { conversation } = progress;
  if (conversation === null) return;
  deps.progress.say(conversation, progressEvent(progress, { ...principal, connection: '' }, status));
}

/** Nothing judges a part: who was thrown out of the room meanwhile must not show anything there. */
export function tellOfPart(deps: TusDeps, request: SignedInRequest, progress: UploadProgress): void {
  const { conversation } = progress;
  if (conversation === null) return;
  const event = progressEvent(progress, { ...request.principal, connection: '' }, 'receiving');
  const may = () => mayBeIn(deps.rooms, askerOf(request), conversation);
  void deps.progress.sayIf(conversation, event, may);
}

/** Headers of an upload that has all its bytes. */
export function fileHeaders(file: FileRecord): Record<string, string> {
  return {
    'upload-offset': String(file.size),
    'upload-length': String(file.size),
    'x-natter-file-id': file.id,
    'x-natter-file-state': file.state,
  };
}

/** RFC 9110 section 5.6.7, as Upload-Expires wants it. */
export function expires({ expiresAt }: UploadProgress): Record<string, string> {
  return { 'upload-expires': new Date(expiresAt).toUTCString() };
}

export function empty(status: number, headers: Record<string, string>): HttpReply {
  return { status, headers: { 'cache-control': 'no-store', ...headers }, body: '' };
}
