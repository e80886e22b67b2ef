/** logs-v1: pure functions between what readers of logs are sent and JSON. Source: seeds/003. */
import { ERRORS } from '@natter/proto';
import type { LogFormat, LogFrame, LogOpening, LogWire, ShownLine } from '../../session/logs/log-wire.ts';
import { parseObject } from '../json-object.ts';
import { Acknowledgement, Query } from './frames.ts';

type Request = Parameters<LogWire['open']>[0];

export const logsV1: LogWire = {
  open,
  decode,
  encodeLine,
  encodeGap: (gap) => JSON.stringify({ gap }),
  // What is undefined is not written.
  encodeError: ({ code, detail, retryAfter }) =>
    JSON.stringify({ error: ERRORS[code].text, code, detail, retry_after: retryAfter }),
  // JSON has no line breaks, so a frame is one `data` field.
  asEvent: (frame, seq) => (seq === null ? `data: ${frame}\n\n` : `id: ${seq}\ndata: ${frame}\n\n`),
};

function open(request: Request): LogOpening {
  const value = (name: string) => request.query(name) || null;
  // A browser that reconnects sends what it had last, whatever its URL says.
  const lastEventId = request.header('last-event-id') || null;
  const cursor = lastEventId ?? value('cursor');
  const names = ['service', 'level', 'category', 'tail', 'name', 'format'] as const;
  const query = Query.safeParse({
    ...Object.fromEntries(names.map((name) => [name, value(name)])),
    cursor,
  });
  const credential = bearer(request.header('authorization')) ?? bearer(value('token'), true);
  if (!query.success) {
    const name = query.error.issues[0]?.path[0];
    const detail = name === 'cursor' && lastEventId !== null ? 'Last-Event-ID' : String(name);
    return {
      credential,
      filter: { service: null, level: null, category: null },
      format: 'plain',
      tail: 0,
      cursor: null,
      name: null,
      problem: { code: 'INVALID_FIELD', detail },
    };
  }
  const { service, level, category, tail, name, format } = query.data;
  const withSeq = name !== null || value('seq') === '1' || value('seq') === 'true';
  return {
    credential,
    filter: { service, level, category },
    format: format === 'full' ? 'full' : withSeq ? 'seq' : 'plain',
    tail: tail ?? 0,
    cursor: query.data.cursor,
    name,
    problem: null,
  };
}

/** A header of another scheme is for a proxy; a query parameter may come without the word. */
function bearer(text: string | null, bare = false): string | null {
  const [, token] = /^Bearer\s+(\S.*)$/i.exec(text ?? '') ?? [];
  return (token ?? (bare ? text : null))?.trim() || null;
}

function decode(bytes: Uint8Array, isBinary: boolean): LogFrame {
  const value = isBinary ? null : parseObject(bytes);
  if (value === null) return { ok: false, code: 'INVALID_JSON' };
  if (!('ack' in value)) return { ok: false, code: 'UNKNOWN_TYPE' };
  const frame = Acknowledgement.safeParse(value);
  return frame.success
    ? { ok: true, ack: frame.data.ack }
    : { ok: false, code: 'INVALID_FIELD', detail: 'ack' };
}

function encodeLine(line: ShownLine, format: LogFormat): string {
  const { text: log, seq } = line;
  if (format === 'plain') return JSON.stringify({ log });
  if (format === 'seq') return JSON.stringify({ log, seq });
  const { level, service, category, time, traceId: trace_id, fields } = line;
  const full = { log, seq, level, service, category, time, trace_id };
  try {
    return JSON.stringify({ ...full, fields });
  } catch {
    // Nested so deeply that it can be read and not be written.
    return JSON.stringify({ ...full, fields: { truncated: true } });
  }
}
