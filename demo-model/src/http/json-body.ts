/** Reads a request's body as JSON, within a limit. */
import type { IncomingMessage } from 'node:http';
import { ApiError } from './api-error.ts';

/** 4 MiB: several times the longest prompt that the models we stand in for accept. */
export const MAX_BODY_BYTES = 4 * 1024 * 1024;

export interface JsonBody {
  value: unknown;
  bytes: number;
}

/** Rejects with ApiError: 415 not JSON by its header, 413 too large, 400 not JSON. */
export async function readJsonBody(request: IncomingMessage): Promise<JsonBody> {
  // Also keeps web pages out: a browser sends this type to another origin only after a preflight,
  // and this server answers none.
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? ''))
    throw new ApiError({
      status: 415,
      code: 'unsupported_media_type',
      message: 'Send the header content-type: application/json.',
    });
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Destroying the request would destroy the socket, and the answer with it.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    bytes += (chunk as Buffer).length;
    if (bytes > MAX_BODY_BYTES) throw tooLarge(request);
    chunks.push(chunk as Buffer);
  }
  return { value: parse(Buffer.concat(chunks)), bytes };
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new ApiError({
      status: 400,
      code: 'invalid_json',
      message: 'We could not parse the JSON body of your request.',
    });
  }
}

function tooLarge(request: IncomingMessage): ApiError {
  // What is left is read and dropped, so that a client that only listens after it has sent
  // everything gets the answer; the server's request timeout (5 min) bounds it.
  request.resume();
  return new ApiError({
    status: 413,
    code: 'request_too_large',
    message: `The body is larger than ${MAX_BODY_BYTES} bytes.`,
  });
}
