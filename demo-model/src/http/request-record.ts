/** The last requests, kept for tests to look at. */
import type { IncomingHttpHeaders } from 'node:http';

export interface RecordedRequest {
  readonly requestId: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
  /** `aborted`: the client went away first. `faulted`: a fault ended it. */
  outcome: 'open' | 'completed' | 'aborted' | 'faulted';
  /** Tokens sent so far. */
  tokens: number;
}

/** Oldest are dropped above either limit. */
const MAX_REQUESTS = 2_000;
const MAX_BYTES = 16 * 1024 * 1024;

export class RequestRecord {
  #entries: { request: RecordedRequest; bytes: number }[] = [];
  #bytes = 0;

  add(requestId: string, headers: IncomingHttpHeaders, body: unknown, bytes: number): RecordedRequest {
    const request: RecordedRequest = { requestId, headers, body, outcome: 'open', tokens: 0 };
    this.#entries.push({ request, bytes });
    this.#bytes += bytes;
    while (this.#entries.length > MAX_REQUESTS || (this.#bytes > MAX_BYTES && this.#entries.length > 1))
      this.#bytes -= this.#entries.shift()?.bytes ?? 0;
    return request;
  }

  /** Oldest first. */
  list(): RecordedRequest[] {
    return this.#entries.map(({ request }) => request);
  }
}
