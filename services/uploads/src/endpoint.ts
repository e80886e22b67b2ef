/** The endpoint `uploads.ask`: bounded, parsed, and every failure an answer with a code. */
import { randomUUID } from 'node:crypto';
import {
  type ErrorCode,
  packUpload,
  READ_BYTES,
  SUBJECTS,
  type UploadsReply,
  UploadsRequest,
  unpackUpload,
} from '@natter/proto';
import { BusError, type Endpoint, type Logger, type Metrics } from '@natter/runtime';
import type { KeptOpener } from './kept.ts';
import { registerUploadsMetrics, type UploadsMetrics } from './metrics.ts';
import { bytesOf } from './parts/part.ts';
import { Refused } from './refused.ts';
import type { Uploads } from './uploads.ts';

/** Requests at once; one more is answered UNAVAILABLE, and its client comes back. */
const MAX_UNDER_WAY = 512;
/** Bytes of requests, and of reads that go out. */
const MAX_BYTES_UNDER_WAY = 64 * 1024 * 1024;
/** Passes over whole files at once: about 8 MiB of memory each, and a core can hash but one. */
const MAX_FINALIZES = 8;
/** Of one user, so that nobody has all of them. */
const MAX_FINALIZES_OF_USER = 4;

export interface EndpointParts {
  uploads: Pick<Uploads, 'answer'>;
  opener: Pick<KeptOpener, 'open'>;
  counters: UploadsMetrics;
  load: Load;
  log: Logger;
}

/** What is under way in this instance. */
export class Load {
  requests = 0;
  bytes = 0;
  /** Owners of the uploads that are being finished, each as often as it is. */
  readonly finalizes: string[] = [];

  /** Null when it is too much; else call the result when it is done. */
  take(request: UploadsRequest, bytes: number): (() => void) | null {
    if (this.requests >= MAX_UNDER_WAY || this.bytes + bytes > MAX_BYTES_UNDER_WAY) return null;
    const { finalizes } = this;
    const owner = request.op === 'finalize' ? request.sub : null;
    if (owner !== null) {
      const own = finalizes.filter((sub) => sub === owner).length;
      if (finalizes.length >= MAX_FINALIZES || own >= MAX_FINALIZES_OF_USER) return null;
      finalizes.push(owner);
    }
    this.requests += 1;
    this.bytes += bytes;
    return () => {
      this.requests -= 1;
      this.bytes -= bytes;
      if (owner !== null) finalizes.splice(finalizes.indexOf(owner), 1);
    };
  }
}

export function uploadsEndpoint(parts: EndpointParts): Endpoint {
  return {
    name: 'ask',
    subject: SUBJECTS.uploads,
    handle: async (message) => {
      const unpacked = unpackUpload(message.data);
      const asked = UploadsRequest.safeParse(unpacked?.json);
      if (unpacked === null || !asked.success) return pack({ ok: false, code: 'INVALID_FIELD' });
      const request = asked.data;
      const { op } = request;
      const done = parts.load.take(request, op === 'read' ? READ_BYTES : message.data.length);
      if (done === null) return pack({ ok: false, code: 'UNAVAILABLE' });
      const endTimer = op === 'finalize' ? parts.counters.finalize.startTimer() : null;
      try {
        const kept = await parts.opener.open();
        const { reply, bytes } = await parts.uploads.answer(kept, request);
        parts.counters.requests.inc({ op, result: 'ok' });
        if (op === 'settle') parts.counters.received.inc(bytesOf(request.stored));
        return packUpload(reply, bytes);
      } catch (error) {
        const reply = failure(error, op, parts.log);
        parts.counters.requests.inc({ op, result: reply.code });
        return pack(reply);
      } finally {
        endTimer?.();
        done();
      }
    },
  };
}

/** What JetStream says of a stream, an account or a disk that takes no more (nats-server errors.json). */
const FULL = /maximum (bytes|messages)|insufficient|resource limits exceeded|no space left/i;

/** What a client is told: never more than a code, and where to look for the cause. */
function failure(error: unknown, op: string, log: Logger): Extract<UploadsReply, { ok: false }> {
  if (error instanceof Refused) {
    const { code, missing, detail } = error;
    return {
      ...{ ok: false, code },
      ...(missing === undefined ? {} : { missing }),
      ...(detail === undefined ? {} : { detail }),
    };
  }
  const correlationId = randomUUID();
  // CONFLICT: an acknowledgement was lost; a repeat finds what was done.
  const passing = error instanceof BusError && (error.code !== 'REFUSED' || FULL.test(error.message));
  const code: ErrorCode = passing ? 'UNAVAILABLE' : 'INTERNAL';
  log[passing ? 'warn' : 'error'](
    { err: error, op, traceId: correlationId },
    'a request could not be answered',
  );
  return { ok: false, code, correlationId };
}

function pack(reply: UploadsReply): Uint8Array {
  return packUpload(reply);
}

/** The endpoint's metrics, with what is under way. */
export function endpointMetrics(metrics: Metrics, load: Load): UploadsMetrics {
  return registerUploadsMetrics(metrics, { underWay: () => load.requests });
}
