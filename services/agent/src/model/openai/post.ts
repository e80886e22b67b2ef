/**
 * The SDK's `fetch`, over node:http.
 *
 * Every token is a piece of a body. Node's fetch hands each over through a web stream: 72 µs of
 * CPU for a token at 200 streams of 50 tokens a second, the SDK's reader on top 104, this 38
 * (docs/decisions/0023). Redirects are not followed: the key is for one place.
 */
import { type ClientRequest, type IncomingMessage, request as requestOverHttp } from 'node:http';
import { request as requestOverHttps } from 'node:https';
import { ModelError } from '../model-error.ts';

/** Of what a server says when it refuses. */
const MAX_ERROR_BYTES = 64 * 1024;
/** What may follow what was wanted, for the connection to be used again. */
const REST_MS = 1_000;

/** A response with status 2xx, whose body is read as it comes. */
export class StreamedResponse extends Response {
  readonly #message: IncomingMessage;
  readonly #release: () => void;

  constructor(message: IncomingMessage, release: () => void) {
    super(null, { status: message.statusCode as number, headers: headersOf(message) });
    this.#message = message;
    this.#release = release;
  }

  /**
   * Hands over the body piece by piece until `take` says that it has enough, or the body ends.
   *
   * Rejects with what `take` throws, with the reason of `signal`, or when the connection breaks.
   */
  read(signal: AbortSignal, take: (bytes: Buffer) => boolean): Promise<void> {
    const message = this.#message;
    const encoding = this.headers.get('content-encoding') ?? 'identity';
    return new Promise<void>((resolve, reject) => {
      const aborted = () => fail(signal.reason);
      const fail = (error: unknown) => {
        leave();
        message.destroy();
        reject(error);
      };
      const leave = () => {
        signal.removeEventListener('abort', aborted);
        message.removeListener('data', data);
      };
      const data = (bytes: Buffer) => {
        try {
          if (!take(bytes)) return;
        } catch (error) {
          return fail(error);
        }
        leave();
        finish(message);
        resolve();
      };
      this.#release();
      if (signal.aborted) return aborted();
      if (encoding !== 'identity') return fail(new ModelError('BAD_REPLY', `a reply encoded as ${encoding}`));
      signal.addEventListener('abort', aborted, { once: true });
      message.on('error', fail);
      message.on('end', () => {
        leave();
        resolve();
      });
      message.on('data', data);
    });
  }
}

/** Sends a request of the SDK; rejects as fetch does. */
export function post(url: string | URL | Request, init: RequestInit = {}): Promise<Response> {
  const target = new URL(url as string | URL);
  const { signal, method, headers, body } = init;
  const options = { method, headers: { ...Object.fromEntries(new Headers(headers)), ...ASKED } };
  return new Promise<Response>((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const open = target.protocol === 'https:' ? requestOverHttps : requestOverHttp;
    const request = open(target, options);
    const release = abortWith(signal, request);
    request.on('error', (error) => {
      release();
      reject(signal?.aborted ? signal.reason : error);
    });
    let isAnswered = false;
    // A server that switches protocols (101) gives neither an answer nor an error.
    request.on('close', () => {
      if (isAnswered) return;
      release();
      reject(signal?.aborted ? signal.reason : new Error('the connection was closed without an answer'));
    });
    request.on('response', (message) => {
      isAnswered = true;
      answer(message, release).then(resolve, (error: unknown) => {
        release();
        request.destroy();
        reject(error);
      });
    });
    request.end(body as string | undefined);
  });
}

/** Compressed, tokens would wait for each other. */
const ASKED = { 'accept-encoding': 'identity' };

/** Ends the request with the signal; the returned function undoes that. */
function abortWith(signal: AbortSignal | null | undefined, request: ClientRequest): () => void {
  const aborted = () => void request.destroy();
  signal?.addEventListener('abort', aborted, { once: true });
  return () => signal?.removeEventListener('abort', aborted);
}

async function answer(message: IncomingMessage, release: () => void): Promise<Response> {
  const status = message.statusCode as number;
  if (status >= 200 && status < 300) return new StreamedResponse(message, release);
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of message) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes > MAX_ERROR_BYTES) break;
  }
  release();
  const body = Buffer.concat(pieces).subarray(0, MAX_ERROR_BYTES);
  return new Response(body.length === 0 ? null : body, { status, headers: headersOf(message) });
}

function headersOf({ headers }: IncomingMessage): Headers {
  const found = new Headers();
  for (const [name, value] of Object.entries(headers)) if (typeof value === 'string') found.set(name, value);
  return found;
}

/** Reads what little follows, so that the connection can be used again. */
function finish(message: IncomingMessage): void {
  const timer = setTimeout(() => message.destroy(), REST_MS).unref();
  message.on('close', () => clearTimeout(timer));
  message.resume();
}
