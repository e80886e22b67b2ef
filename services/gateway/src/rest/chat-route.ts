/** POST /api/v1/chat: the same run as over a socket, answered whole. Source: seeds/001, Comparison. */
import { randomUUID } from 'node:crypto';
import { conversationKey, isRunEnd, LIMITS, type Principal, type RunEnd, type Turn } from '@natter/proto';
import { continueTrace, type Logger, TRACEPARENT, type Trace, traceparent } from '@natter/runtime';
import type { z } from 'zod';
import type { AuthClient } from '../bus/auth-client.ts';
import type { ConversationHub, Follower } from '../bus/conversation-hub.ts';
import type { RateStore } from '../bus/rate-store.ts';
import { runId } from '../bus/run-id.ts';
import { storeErrorCode, type TurnStore } from '../bus/turn-store.ts';
import { chatV1 } from '../dialects/chat-v1/codec.ts';
import { MessageFrame } from '../dialects/chat-v1/frames.ts';
import type { UserRates } from '../session/user-rates.ts';
import { errorReply, type HttpReply, type HttpRequest, json, type Route } from './route.ts';

export interface ChatRouteDeps {
  auth: Pick<AuthClient, 'verify'>;
  hub: Pick<ConversationHub, 'follow'>;
  rates: Pick<RateStore, 'take'>;
  turns: Pick<TurnStore, 'store'>;
  questions: Pick<UserRates, 'take'>;
  log: Logger;
  now: () => number;
  answerTimeoutMs: number;
  /** Aborted when the gateway is being stopped. */
  stopping: AbortSignal;
}

/** The fields of the wire's own message frame. */
const Body = MessageFrame.omit({ type: true });
type Body = z.infer<typeof Body>;

export function chatRoute(deps: ChatRouteDeps): Route {
  return {
    method: 'POST',
    path: '/api/v1/chat',
    maxBodyBytes: 131_072,
    handle: (request) => (deps.stopping.aborted ? errorReply('SHUTTING_DOWN') : answer(deps, request)),
  };
}

async function answer(deps: ChatRouteDeps, request: HttpRequest): Promise<HttpReply> {
  const header = request.header('authorization');
  if (!/^Bearer\s+\S/i.test(header)) return errorReply('AUTH_REQUIRED');
  const token = header.replace(/^Bearer\s+/i, '').trim();
  if (token.length > LIMITS.tokenBytes) return errorReply('INVALID_TOKEN');
  const trace = continueTrace(request.header(TRACEPARENT) || undefined);
  const verdict = await deps.auth.verify(token).catch((err: unknown) => {
    deps.log.warn({ err, traceId: trace.traceId }, 'a token could not be verified');
    return { ok: false, reason: 'unavailable' } as const;
  });
  if (!verdict.ok) return errorReply(REFUSALS[verdict.reason], { correlationId: trace.traceId });
  const here = deps.questions.take(verdict.principal.sub);
  // First by what this gateway knows, then by what all know.
  const retryAfter = here > 0 ? here : await deps.rates.take('user', verdict.principal.sub);
  if (retryAfter > 0) return errorReply('RATE_LIMIT', { retryAfter });
  const body = parseBody(request.body);
  if (typeof body === 'string') return errorReply(body);
  return run(deps, verdict.principal, body, trace, request.signal);
}

const REFUSALS = { invalid: 'INVALID_TOKEN', expired: 'TOKEN_EXPIRED', unavailable: 'UNAVAILABLE' } as const;

function parseBody(
  bytes: Uint8Array,
): Body | 'INVALID_JSON' | 'INVALID_FIELD' | 'EMPTY_MESSAGE' | 'MESSAGE_TOO_LONG' {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return 'INVALID_JSON';
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'INVALID_JSON';
  const parsed = Body.safeParse(value);
  if (!parsed.success) return 'INVALID_FIELD';
  if (parsed.data.message.trim() === '') return 'EMPTY_MESSAGE';
  return parsed.data.message.length > LIMITS.messageChars ? 'MESSAGE_TOO_LONG' : parsed.data;
}

async function run(
  deps: ChatRouteDeps,
  principal: Principal,
  body: Body,
  trace: Trace,
  signal: AbortSignal,
): Promise<HttpReply> {
  // Gone while the token was verified: nobody would read the answer.
  if (signal.aborted) return errorReply('UNAVAILABLE');
  const session = body.session_id ?? randomUUID();
  const conversation = conversationKey(principal.sub, session);
  const messageId = body.message_id ?? randomUUID();
  const id = runId(principal.sub, conversation, messageId);
  const turn: Turn = {
    run: id,
    conversation,
    sub: principal.sub,
    messageId,
    text: body.message,
    customerId: body.customer_id,
    askedAt: deps.now(),
  };
  const ending = followToEnd(deps, turn, session, signal);
  try {
    const { duplicate } = await deps.turns.store(turn, traceparent(trace));
    if (duplicate) ending.repair();
  } catch (err) {
    ending.stop();
    deps.log.error({ err, run: id, traceId: trace.traceId }, 'a question could not be stored');
    return errorReply(storeErrorCode(err), { correlationId: trace.traceId });
  }
  const end = await ending.end;
  // With these the same question can be asked for again.
  const fields = { session_id: session, message_id: messageId };
  const unanswered = deps.stopping.aborted ? 'SHUTTING_DOWN' : 'TIMEOUT';
  if (end === null) return errorReply(unanswered, { correlationId: trace.traceId, fields });
  if (end.type === 'run.failed') return errorReply(end.code, { correlationId: end.correlationId });
  // The body of the wire's own last frame, so that both ways of asking answer alike.
  const place = { room: null, session, run: id, asked: null, cursor: null, atMs: deps.now() };
  const [frame = '{}'] = [chatV1.encodeEvent(end, { ...place, text: end.text, textJson: '' }) ?? '{}'].flat();
  const { type: _type, ...reply } = JSON.parse(frame);
  return json(200, { ...reply, message_id: messageId });
}

interface Ending {
  /** The end of the run, or null when the time is up, the client has gone, or the gateway stops. */
  end: Promise<RunEnd | null>;
  repair(): void;
  stop(): void;
}

function followToEnd(deps: ChatRouteDeps, turn: Turn, session: string, signal: AbortSignal): Ending {
  const { promise, resolve } = Promise.withResolvers<RunEnd | null>();
  const follower: Follower = {
    dialect: SILENT,
    place: { room: null, session },
    deliver: (event) => {
      if (isRunEnd(event)) resolve(event);
    },
  };
  const following = deps.hub.follow(turn.conversation, turn.run, follower);
  const stop = () => resolve(null);
  const timer = setTimeout(stop, deps.answerTimeoutMs);
  signal.addEventListener('abort', stop);
  deps.stopping.addEventListener('abort', stop);
  // It may have begun while the token was verified.
  if (deps.stopping.aborted) stop();
  const end = promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
    deps.stopping.removeEventListener('abort', stop);
    following.stop();
  });
  return { end, repair: () => following.repair(), stop };
}

/** Nobody reads frames here, so none are encoded. */
const SILENT = { ...chatV1, name: 'http', encodeEvent: () => null };
