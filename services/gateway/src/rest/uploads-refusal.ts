/** What an HTTP client is told when the uploads service refuses. */
import type { UploadsAnswer } from '../bus/uploads-client.ts';
import { errorReply, type HttpReply } from './route.ts';

export function uploadsRefusal(
  { code, detail, correlationId }: Extract<UploadsAnswer, { ok: false }>,
  traceId: string,
): HttpReply {
  return errorReply(code, {
    correlationId: correlationId ?? traceId,
    ...(detail === undefined ? {} : { fields: { detail } }),
  });
}
