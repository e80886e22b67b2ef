/** chat-v1: `/ws/chat`, JSON text frames. Source: seeds/001; see README.md of this folder. */
import { ERRORS, type RunEvent } from '@natter/proto';
import type { Command, Decoded, Dialect, RunText } from '../../session/dialect.ts';
import { AuthFrame, MessageFrame, STEP_TEXTS } from './frames.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true });

export const chatV1: Dialect = {
  name: 'chat-v1',
  path: '/ws/chat',
  closes: {},

  credentials(handshake) {
    const token = handshake.query('token');
    return token === undefined || token === '' ? null : withoutBearer(token);
  },

  decode(bytes, isBinary) {
    if (isBinary) return { ok: false, code: 'INVALID_JSON' };
    const frame = parseObject(bytes);
    if (frame === null) return { ok: false, code: 'INVALID_JSON' };
    if (frame.type === 'message') return decodeMessage(frame);
    if (frame.type === 'auth') return decodeAuth(frame);
    return { ok: false, code: 'UNKNOWN_TYPE' };
  },

  encodeAuthenticated: (principal) =>
    JSON.stringify({
      type: 'auth_success',
      message: 'Authentication successful',
      user: { id: principal.sub, email: principal.email, name: principal.name },
    }),

  encodeRefused: (code, { correlationId }) =>
    JSON.stringify({
      type: 'auth_error',
      // Clients of the original know this one text; the code tells the rest.
      message: ERRORS.INVALID_TOKEN.text,
      code,
      correlation_id: correlationId,
    }),

  encodeError: (code, { correlationId, retryAfter }) =>
    JSON.stringify({
      type: 'error',
      error: ERRORS[code].text,
      code,
      correlation_id: correlationId,
      retry_after: retryAfter,
    }),

  encodeEvent,
};

function encodeEvent(event: RunEvent, run: RunText): string | null {
  switch (event.type) {
    case 'text.delta':
      return `{"type":"token","token":${JSON.stringify(event.text)},"partial_response":"${run.textJson}"}`;
    case 'step.started':
      return JSON.stringify({ type: 'progress', step: event.step, message: STEP_TEXTS[event.step] });
    case 'run.completed': {
      const { agent, confidence, sources, model, usage } = event.metadata;
      return JSON.stringify({
        type: 'complete',
        response: event.text,
        session_id: run.session,
        metadata: {
          agent,
          confidence,
          context: { sources },
          model,
          usage: usage && { input_tokens: usage.inputTokens, output_tokens: usage.outputTokens },
        },
      });
    }
    case 'run.failed':
      return JSON.stringify({
        type: 'error',
        error: ERRORS[event.code].text,
        code: event.code,
        correlation_id: event.correlationId,
        session_id: run.session,
      });
    case 'tool.called':
    case 'run.resumed':
      return null;
  }
}

function parseObject(bytes: Uint8Array): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(utf8.decode(bytes));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

function decodeMessage(frame: Record<string, unknown>): Decoded {
  const parsed = MessageFrame.safeParse(frame);
  if (!parsed.success) return { ok: false, code: 'INVALID_FIELD' };
  const { message, session_id, customer_id, message_id } = parsed.data;
  const command: Command = {
    type: 'ask',
    text: message,
    session: session_id,
    customerId: customer_id,
    messageId: message_id,
  };
  return { ok: true, command };
}

function decodeAuth(frame: Record<string, unknown>): Decoded {
  const parsed = AuthFrame.safeParse(frame);
  // A token of the wrong shape is a wrong token; the wire has a frame for that.
  const token = parsed.success ? withoutBearer(parsed.data.token) : '';
  return { ok: true, command: { type: 'authenticate', token } };
}

/** The original drops a leading `Bearer `. */
function withoutBearer(token: string): string {
  return token.startsWith('Bearer ') ? token.slice('Bearer '.length).trim() : token.trim();
}
