/** Finished files over HTTP: download, list, delete. Source: issue 4, Uploads. */
import { conversationKey, FileId, type FileRecord, isClientId } from '@natter/proto';
import { keyOfRoom, mayBeIn } from '../bus/conversation-access.ts';
import type { RoomsClient } from '../bus/rooms-client.ts';
import type { UploadsClient } from '../bus/uploads-client.ts';
import { type CrossOriginRule, crossOrigin } from './cross-origin.ts';
import { byteRange } from './files/byte-range.ts';
import { contentDisposition } from './files/content-disposition.ts';
import { matchesNone, rangeHolds } from './files/entity-tags.ts';
import { sendFile } from './files/send-file.ts';
import { errorReply, type HttpReply, json, type Method, type Route, type StreamReply } from './route.ts';
import { isAdmin, type SignedInRequest, type SignInDeps, signedIn } from './signed-in.ts';
import type { Transfers } from './transfers.ts';
import { uploadsRefusal } from './uploads-refusal.ts';

export interface FileRouteDeps extends SignInDeps {
  uploads: Pick<UploadsClient, 'ask'>;
  rooms: Pick<RoomsClient, 'ask'>;
  origins: CrossOriginRule['origins'];
  /** Downloads of one user on this gateway; more of them wait. */
  downloads: Pick<Transfers, 'wait'>;
}

const FILES_PATH = '/api/v1/files';
const FILE_PATH = `${FILES_PATH}/:file_id`;

/** How often a file in quarantine is scanned anew, in seconds. */
const RESCAN_S = 30;

const READ_HEADERS = ['if-none-match', 'if-range', 'range'];
const CORS = {
  headers: ['Authorization', 'If-None-Match', 'If-Range', 'Range', 'Traceparent'],
  exposed: ['Accept-Ranges', 'Content-Disposition', 'Content-Range', 'ETag', 'Retry-After'],
};

type Reply = HttpReply | StreamReply;

export function fileRoutes(deps: FileRouteDeps): Route[] {
  const route = (
    method: Method,
    path: string,
    handle: (request: SignedInRequest) => Promise<Reply>,
  ): Route => ({
    ...{ method, path, maxBodyBytes: 0, headers: READ_HEADERS },
    handle: signedIn(deps, 'websocket', handle),
  });
  return crossOrigin({ ...CORS, origins: deps.origins }, [
    route('GET', FILE_PATH, (request) => download(deps, request)),
    route('DELETE', FILE_PATH, (request) => remove(deps, request)),
    route('GET', FILES_PATH, (request) => list(deps, request)),
  ]);
}

async function download(deps: FileRouteDeps, request: SignedInRequest): Promise<Reply> {
  const correlationId = request.trace.traceId;
  const found = await fileFor(deps, request, (file) => mayRead(deps, request, file));
  if ('reply' in found) return found.reply;
  const { file } = found;
  if (file.state === 'quarantined')
    return errorReply('FILE_QUARANTINED', { correlationId, retryAfter: RESCAN_S });
  if (file.state === 'infected') return errorReply('FILE_INFECTED', { correlationId });
  return content(deps, request, file);
}

function content(deps: FileRouteDeps, request: SignedInRequest, file: FileRecord): Reply {
  const tag = `"${file.sha256}"`;
  // Each use asks anew whether the user still may.
  const known = { etag: tag, 'cache-control': 'private, no-cache', 'accept-ranges': 'bytes' };
  const ifNoneMatch = request.header('if-none-match');
  if (ifNoneMatch !== '' && matchesNone(ifNoneMatch, tag)) return { status: 304, headers: known, body: '' };
  const wanted = rangeHolds(request.header('if-range'), tag)
    ? byteRange(request.header('range'), file.size)
    : 'whole';
  if (wanted === 'unsatisfiable') {
    const reply = errorReply('RANGE_INVALID', { correlationId: request.trace.traceId });
    return { ...reply, headers: { ...reply.headers, 'content-range': `bytes */${file.size}` } };
  }
  const range = wanted === 'whole' ? { start: 0, end: file.size } : wanted;
  return {
    status: wanted === 'whole' ? 200 : 206,
    headers: {
      ...known,
      'content-type': file.type,
      'content-disposition': contentDisposition(file.name, file.inline),
      // Whatever a browser takes it for, it runs nothing and loads nothing.
      'content-security-policy': "sandbox; default-src 'none'",
      ...(wanted === 'whole'
        ? {}
        : { 'content-range': `bytes ${range.start}-${range.end - 1}/${file.size}` }),
    },
    length: range.end - range.start,
    stream: async (writer) => {
      const end = await deps.downloads.wait(request.principal.sub, writer.signal);
      if (end === null) return;
      try {
        await sendFile(deps.uploads, file.id, range, writer);
      } finally {
        end();
      }
    },
  };
}

async function remove(deps: FileRouteDeps, request: SignedInRequest): Promise<Reply> {
  const { principal, trace } = request;
  const found = await fileFor(deps, request, (file) => file.owner === principal.sub || isAdmin(principal));
  if ('reply' in found) return found.reply;
  const { id } = found.file;
  const answer = await deps.uploads.ask({ op: 'delete', id });
  return answer.ok ? json(200, { file_id: id, status: 'deleted' }) : uploadsRefusal(answer, trace.traceId);
}

async function list(deps: FileRouteDeps, request: SignedInRequest): Promise<Reply> {
  const { principal, trace } = request;
  const correlationId = trace.traceId;
  const room = request.query('room_id') || null;
  const name = request.query('conversation_id') || null;
  for (const [detail, id] of Object.entries({ room_id: room, conversation_id: name }))
    if (id !== null && !isClientId(id))
      return errorReply('INVALID_FIELD', { correlationId, fields: { detail } });
  let conversation = name === null ? null : conversationKey(principal.sub, name);
  if (room !== null) {
    const found = await keyOfRoom(deps.rooms, askerOf(request), room);
    if (!found.ok) return errorReply(found.code, { correlationId });
    conversation = found.key;
  }
  const of = conversation === null ? { owner: principal.sub } : { conversation };
  const answer = await deps.uploads.ask({ op: 'list', of });
  if (!answer.ok) return uploadsRefusal(answer, correlationId);
  return json(200, { files: (answer.files ?? []).map(fileBody) });
}

/** The file of the path, if the user may; the same answer for one that is missing and somebody else's. */
async function fileFor(
  deps: FileRouteDeps,
  request: SignedInRequest,
  may: (file: FileRecord) => boolean | Promise<boolean>,
): Promise<{ file: FileRecord } | { reply: HttpReply }> {
  const correlationId = request.trace.traceId;
  const missing = { reply: errorReply('FILE_NOT_FOUND', { correlationId }) };
  const id = FileId.safeParse(request.param('file_id'));
  if (!id.success) return missing;
  const answer = await deps.uploads.ask({ op: 'file', id: id.data });
  if (!answer.ok)
    return answer.code === 'FILE_NOT_FOUND' ? missing : { reply: uploadsRefusal(answer, correlationId) };
  const { file } = answer;
  return file !== undefined && (await may(file)) ? { file } : missing;
}

/** Their own, an admin, or somebody who is in the room now: in this life of it, if there were several. */
async function mayRead(deps: FileRouteDeps, request: SignedInRequest, file: FileRecord): Promise<boolean> {
  const { principal } = request;
  if (file.owner === principal.sub || isAdmin(principal)) return true;
  return file.conversation !== null && mayBeIn(deps.rooms, askerOf(request), file.conversation);
}

function askerOf({ principal }: SignedInRequest) {
  return { sub: principal.sub, name: principal.name, admin: isAdmin(principal) };
}

function fileBody(file: FileRecord) {
  return {
    file_id: file.id,
    file_name: file.name,
    file_size: file.size,
    mime_type: file.type,
    checksum: file.sha256,
    state: file.state,
    user_id: file.owner,
    username: file.ownerName ?? file.owner,
    created_at: new Date(file.createdAt).toISOString(),
    url: `${FILES_PATH}/${file.id}`,
  };
}
