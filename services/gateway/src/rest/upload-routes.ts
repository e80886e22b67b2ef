/** Uploads over HTTP: tus 1.0.0 with creation, expiration, checksum and termination. Source: tus.io. */
import { FileId } from '@natter/proto';
import { isBusError } from '@natter/runtime';
import { type CrossOriginRule, crossOrigin } from './cross-origin.ts';
import { BodyTooLarge, errorReply, type HttpReply, type Method, type Route } from './route.ts';
import { type SignedInRequest, type SignInDeps, signedIn } from './signed-in.ts';
import type { Transfers } from './transfers.ts';
import { appendUpload } from './tus/append-upload.ts';
import { createUpload } from './tus/create-upload.ts';
import {
  empty,
  expires,
  fileHeaders,
  findUpload,
  finishUpload,
  type TusDeps,
  tellProgress,
} from './tus/tus-deps.ts';
import { CHECKSUM_ALGORITHMS, TUS_VERSION } from './tus/tus-headers.ts';
import { uploadsRefusal } from './uploads-refusal.ts';

export interface UploadRouteDeps extends TusDeps {
  origins: CrossOriginRule['origins'];
  /** PATCH requests of one user on this gateway. */
  patches: SignInDeps['requests'];
  /** Bodies of one user on this gateway; one more is refused. */
  bodies: Pick<Transfers, 'begin'>;
}

const UPLOADS_PATH = '/api/v1/uploads';
const UPLOAD_PATH = `${UPLOADS_PATH}/:file_id`;

const REQUEST_HEADERS = [
  'Authorization',
  'Content-Type',
  'Traceparent',
  'Tus-Resumable',
  'Upload-Checksum',
  'Upload-Defer-Length',
  'Upload-Length',
  'Upload-Metadata',
  'Upload-Offset',
  'X-HTTP-Method-Override',
  'X-Request-ID',
  'X-Requested-With',
];

const EXPOSED_HEADERS = [
  'Location',
  'Retry-After',
  'Tus-Checksum-Algorithm',
  'Tus-Extension',
  'Tus-Max-Size',
  'Tus-Resumable',
  'Tus-Version',
  'Upload-Expires',
  'Upload-Length',
  'Upload-Offset',
  'X-Natter-File-Id',
  'X-Natter-File-State',
];

/** What routes read of them besides those that every route does. */
const READ_HEADERS = REQUEST_HEADERS.map((name) => name.toLowerCase());

const RESUMABLE = { 'tus-resumable': TUS_VERSION };

type Handle = (request: SignedInRequest) => Promise<HttpReply>;

export function uploadRoutes(deps: UploadRouteDeps): Route[] {
  const append = byId((request, id) => oneOfFew(deps, request, () => appendUpload(deps, request, id)));
  const cancel = byId((request, id) => cancelUpload(deps, request, id));
  const options = {
    ...RESUMABLE,
    'tus-version': TUS_VERSION,
    'tus-extension': 'creation,expiration,checksum,termination',
    'tus-max-size': String(deps.maxFileBytes),
    'tus-checksum-algorithm': CHECKSUM_ALGORITHMS.join(','),
  };
  const patch = { ...deps, requests: deps.patches };
  // Behind proxies that know no PATCH. Source: tus 1.0.0, X-HTTP-Method-Override.
  const overridden = new Map([
    ['PATCH', signedIn(patch, 'websocket', append)],
    ['DELETE', signedIn(deps, 'websocket', cancel)],
  ]);
  const body = { maxBodyBytes: deps.maxFileBytes, streamsBody: true };
  return crossOrigin({ origins: deps.origins, headers: REQUEST_HEADERS, exposed: EXPOSED_HEADERS, options }, [
    route(
      'POST',
      UPLOADS_PATH,
      signedIn(deps, 'websocket', (request) => createUpload(deps, request)),
    ),
    route(
      'HEAD',
      UPLOAD_PATH,
      signedIn(
        deps,
        'websocket',
        byId((request, id) => head(deps, request, id)),
      ),
    ),
    { ...route('PATCH', UPLOAD_PATH, signedIn(patch, 'websocket', append)), ...body },
    route('DELETE', UPLOAD_PATH, signedIn(deps, 'websocket', cancel)),
    {
      ...route('POST', UPLOAD_PATH, (request) => {
        const handle = overridden.get(request.header('x-http-method-override').toUpperCase());
        return handle?.(request) ?? errorReply('METHOD_NOT_ALLOWED', { allow: 'HEAD, PATCH, DELETE' });
      }),
      ...body,
    },
  ]);
}

/** A route that speaks this version of tus only, and says so in every answer. */
function route(method: Method, path: string, handle: Route['handle']): Route {
  return {
    ...{ method, path, maxBodyBytes: 0, headers: READ_HEADERS },
    handle: async (request) => {
      const isOurs = request.header('tus-resumable') === TUS_VERSION;
      const reply = isOurs ? await guarded(handle, request) : wrongVersion();
      const answer = { ...reply, headers: { ...reply.headers, ...RESUMABLE } };
      // Its answer has no body, an error's neither.
      return method === 'HEAD' ? { ...answer, body: '' } : answer;
    },
  };
}

/** Errors that the edge would answer too, but without the headers that tus and browsers need. */
async function guarded(handle: Route['handle'], request: Parameters<Route['handle']>[0]) {
  try {
    return await handle(request);
  } catch (error) {
    if (isBusError(error, 'UNAVAILABLE')) return errorReply('UNAVAILABLE');
    if (error instanceof BodyTooLarge) return errorReply('BODY_TOO_LARGE');
    throw error;
  }
}

function wrongVersion(): HttpReply {
  const reply = errorReply('UNSUPPORTED_VERSION');
  return { ...reply, headers: { ...reply.headers, 'tus-version': TUS_VERSION } };
}

function byId(handle: (request: SignedInRequest, id: string) => Promise<HttpReply>): Handle {
  return async (request) => {
    const id = FileId.safeParse(request.param('file_id'));
    return id.success
      ? handle(request, id.data)
      : errorReply('UPLOAD_NOT_FOUND', { correlationId: request.trace.traceId });
  };
}

/** Each body holds a part in memory, one with a checksum 8 MiB, for as long as its client sends. */
async function oneOfFew(
  { bodies }: UploadRouteDeps,
  { principal, trace }: SignedInRequest,
  handle: () => Promise<HttpReply>,
): Promise<HttpReply> {
  const end = bodies.begin(principal.sub);
  if (end === null)
    return errorReply('TOO_MANY_CONNECTIONS', { correlationId: trace.traceId, retryAfter: 1 });
  try {
    return await handle();
  } finally {
    end();
  }
}

/** How far an upload is. One that has all its bytes and was never finished is finished now. */
async function head(deps: TusDeps, request: SignedInRequest, id: string): Promise<HttpReply> {
  const found = await findUpload(deps, request, id);
  if ('reply' in found) return found.reply;
  if ('file' in found) return empty(200, fileHeaders(found.file));
  const { progress } = found;
  if (progress.offset === progress.size) {
    // A client that sees all its bytes there asks for nothing more.
    const finished = await finishUpload(deps, request, progress);
    return 'file' in finished ? empty(200, fileHeaders(finished.file)) : finished.reply;
  }
  const { offset, size } = progress;
  return empty(200, {
    'upload-offset': String(offset),
    'upload-length': String(size),
    'x-natter-file-id': id,
    ...expires(progress),
  });
}

async function cancelUpload(deps: TusDeps, request: SignedInRequest, id: string): Promise<HttpReply> {
  const { principal, trace } = request;
  const who = { sub: principal.sub, id };
  // Only for those who watch: of one that was refused they know.
  const known = await deps.uploads.ask({ op: 'status', ...who });
  const answer = await deps.uploads.ask({ op: 'cancel', ...who });
  if (!answer.ok) return uploadsRefusal(answer, trace.traceId);
  if (known.ok && known.progress !== undefined) tellProgress(deps, request, known.progress, 'cancelled');
  return empty(204, {});
}
