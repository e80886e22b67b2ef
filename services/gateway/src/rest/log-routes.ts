/** Lines from others, and the sockets of logs. Source: seeds/003; PROTOCOLS, logs-v1. */
import { setImmediate } from 'node:timers/promises';
import { ERRORS, type ErrorCode, LIMITS } from '@natter/proto';
import { redactText } from '@natter/runtime';
import { z } from 'zod';
import type { LogAppender } from '../bus/logs/log-appender.ts';
import { mayReadLogs, mayWriteLogs } from '../bus/logs/log-scopes.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { jsonBody } from './json-body.ts';
import { batchValue, logBatch, MAX_LINE_BYTES } from './log-batch.ts';
import { LogBodies } from './log-bodies.ts';
import { lineIn } from './log-line-in.ts';
import { errorReply, type HttpReply, json, type Method, type Route } from './route.ts';
import { isAdmin, type SignedInRequest, type SignInDeps, signedIn } from './signed-in.ts';

export interface LogRouteDeps extends SignInDeps {
  cluster: Pick<Cluster, 'ask'>;
  lines: Pick<LogAppender, 'append'>;
  now: () => number;
}

const MAX_BATCH_BYTES = 1024 * 1024;
/** Of a batch, read before others have their turn: 64 KiB of short fields take 30 to 90 ms. */
const LINES_A_TURN = 50;
const BYTES_A_TURN = MAX_LINE_BYTES;
/** 16,000 characters, four bytes each, and the rest. */
const MAX_BROADCAST_BYTES = 65_536;

/** The names are checked with the line. */
const Broadcast = z.object({
  message: z.string(),
  level: z.unknown().optional(),
  category: z.unknown().optional(),
  service: z.unknown().optional(),
});

type Handler = (deps: LogRouteDeps, request: SignedInRequest) => Promise<HttpReply>;

export function logRoutes(deps: LogRouteDeps): Route[] {
  const bodies = new LogBodies();
  const route = (
    method: Method,
    path: string,
    maxBodyBytes: number,
    may: (principal: SignedInRequest['principal']) => ErrorCode | null,
    handle: Handler,
  ): Route => ({
    method,
    path: `/api/${path}`,
    maxBodyBytes,
    headers: ['content-length', 'transfer-encoding'],
    // Nothing is read for who may not write.
    streamsBody: maxBodyBytes > 0,
    handle: signedIn(deps, 'api_key', (request) => {
      const code = may(request.principal);
      if (code !== null) return errorReply(code, { correlationId: request.trace.traceId });
      if (maxBodyBytes === 0) return handle(deps, request);
      return withBody(bodies, request, maxBodyBytes, (whole) => handle(deps, whole));
    }),
  });
  const writers = needs(mayWriteLogs, 'SCOPE_REQUIRED');
  return [
    route('POST', 'logs', MAX_BATCH_BYTES, writers, append),
    route('POST', 'broadcast-log', MAX_BROADCAST_BYTES, writers, broadcast),
    route('GET', 'get-active-websockets', 0, needs(mayReadLogs, 'SCOPE_REQUIRED'), countSockets),
    route('POST', 'disconnect-all-websockets', 0, needs(isAdmin, 'ADMIN_ONLY'), disconnectAll),
  ];
}

function needs(may: (principal: SignedInRequest['principal']) => boolean, code: ErrorCode) {
  return (principal: SignedInRequest['principal']) => (may(principal) ? null : code);
}

/** Reads the body where there is room for it, and holds that until the answer. */
async function withBody(
  bodies: LogBodies,
  request: SignedInRequest,
  maxBytes: number,
  handle: (request: SignedInRequest) => Promise<HttpReply>,
): Promise<HttpReply> {
  const { principal, trace, pieces, header, signal } = request;
  // One that comes in chunks may be as long as any.
  const length = header('transfer-encoding') === '' ? Number(header('content-length')) : maxBytes;
  const end = bodies.begin(principal.sub, length);
  if (end === null)
    return errorReply('TOO_MANY_CONNECTIONS', { correlationId: trace.traceId, retryAfter: 1 });
  try {
    const read: Uint8Array[] = [];
    for await (const piece of pieces) read.push(piece);
    // Half of what the client wanted to send; the reply reaches nobody.
    if (signal.aborted) return errorReply('UNAVAILABLE');
    return await handle({ ...request, body: Buffer.concat(read) });
  } finally {
    end();
  }
}

/** Answers once the broker has every line it says were accepted. */
async function append({ lines, now }: LogRouteDeps, { body, trace }: SignedInRequest): Promise<HttpReply> {
  const correlationId = trace.traceId;
  const batch = logBatch(body);
  if (batch === null) return errorReply('BODY_TOO_LARGE', { correlationId });
  if (batch.length === 0) return errorReply('INVALID_JSON', { correlationId });
  const appended: (ReturnType<LogAppender['append']> | BadLine)[] = [];
  let bytes = 0;
  for (const one of batch) {
    const value = batchValue(one);
    const line = typeof value === 'string' ? value : lineIn(value, now());
    appended.push(typeof line === 'string' ? badLine(line) : lines.append(line));
    bytes += one.bytes.length;
    // A thousand nested lines take half a second.
    if (appended.length % LINES_A_TURN !== 0 && bytes < BYTES_A_TURN) continue;
    bytes = 0;
    await setImmediate();
  }
  const refusals = await Promise.all(appended);
  const refused = batch.flatMap(({ index }, at) => {
    const refusal = refusals[at] ?? null;
    if (refusal === null) return [];
    return [{ line: index, ...(typeof refusal === 'string' ? { code: refusal } : refusal) }];
  });
  const answer = { accepted: batch.length - refused.length, refused };
  if (answer.accepted > 0) return json(200, answer);
  // Worth another try if any of them is.
  const code = refused.find(({ code }) => ERRORS[code].retry)?.code ?? 'INVALID_LOG_LINE';
  return json(ERRORS[code].status, {
    error: ERRORS[code].text,
    code,
    correlation_id: correlationId,
    ...answer,
  });
}

/** A line that the broker is not asked about. */
type BadLine = ReturnType<typeof badLine>;

function badLine(detail: string) {
  return { code: 'INVALID_LOG_LINE', detail } as const;
}

async function broadcast(deps: LogRouteDeps, request: SignedInRequest): Promise<HttpReply> {
  const correlationId = request.trace.traceId;
  const parsed = asked(request);
  if (!parsed.ok) return parsed.reply;
  const { message, level, category = 'broadcast', service } = parsed.value;
  if (message.trim() === '') return errorReply('EMPTY_MESSAGE', { correlationId });
  if (message.length > LIMITS.messageChars) return errorReply('MESSAGE_TOO_LONG', { correlationId });
  const line = lineIn({ msg: message, level, category, service }, deps.now());
  if (typeof line === 'string')
    return errorReply('INVALID_LOG_LINE', { correlationId, fields: { detail: line } });
  const code = await deps.lines.append(line);
  if (code !== null) return errorReply(code, { correlationId });
  return json(200, { status: 'success', message: `Log broadcasted: ${redactText(message)}` });
}

/** The query as in the original, else the body. */
function asked(request: SignedInRequest): ReturnType<typeof jsonBody<z.infer<typeof Broadcast>>> {
  const message = request.query('message');
  if (message === undefined && request.body.length > 0) return jsonBody(request.body, Broadcast);
  if (message === undefined) {
    const correlationId = request.trace.traceId;
    return {
      ok: false,
      reply: errorReply('INVALID_FIELD', { correlationId, fields: { detail: 'message' } }),
    };
  }
  return { ok: true, value: { message, level: undefined, category: undefined, service: undefined } };
}

async function countSockets({ cluster }: LogRouteDeps): Promise<HttpReply> {
  return json(200, { active_websockets: total(await cluster.ask({ type: 'log_sockets' })) });
}

async function disconnectAll({ cluster, log }: LogRouteDeps, request: SignedInRequest): Promise<HttpReply> {
  const disconnected = total(await cluster.ask({ type: 'disconnect_log_sockets' }));
  const { principal, trace } = request;
  log.info({ disconnected, by: principal.sub, traceId: trace.traceId }, 'all sockets of logs were closed');
  return json(200, { status: 'success', message: 'All WebSockets disconnected', disconnected });
}

function total(replies: Awaited<ReturnType<Cluster['ask']>>): number {
  return replies.reduce((sum, { answer }) => sum + ('count' in answer ? answer.count : 0), 0);
}
