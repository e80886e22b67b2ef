/** The JSON of a request on the bus. */
import type { BusMessage } from '@natter/runtime';

/** What the bytes say, or undefined where they are too many or no JSON; the schemas refuse that. */
export function requestJson(request: BusMessage, maxBytes: number): unknown {
  if (request.data.byteLength > maxBytes) return undefined;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(request.data));
  } catch {
    return undefined;
  }
}
