/** W3C Trace Context, level 2: the `traceparent` that links one question across services. */
import { randomBytes } from 'node:crypto';

export interface Trace {
  /** 32 hex digits; what clients get as the correlation id. */
  traceId: string;
  /** 16 hex digits. */
  spanId: string;
}

/** Name of the header in NATS messages and in HTTP requests. */
export const TRACEPARENT = 'traceparent';

const FORMAT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/;

/** A new trace. */
export function startTrace(): Trace {
  return { traceId: randomBytes(16).toString('hex'), spanId: randomBytes(8).toString('hex') };
}

/** The trace a header names with a span of our own, or a new trace where there is none. */
export function continueTrace(header: string | undefined): Trace {
  const match = header === undefined ? null : FORMAT.exec(header);
  // All zeros is invalid by section 3.2.2.3.
  if (!match?.[1] || /^0+$/.test(match[1]) || /^0+$/.test(match[2] ?? '')) return startTrace();
  return { traceId: match[1], spanId: randomBytes(8).toString('hex') };
}

export function traceparent(trace: Trace): string {
  return `00-${trace.traceId}-${trace.spanId}-01`;
}
