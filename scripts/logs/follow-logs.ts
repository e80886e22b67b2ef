/** Follows the log stream of a gateway, and comes back to where it was after every interruption. */
import type { LogFilter } from '@natter/proto';
import { Backoff } from './backoff.ts';
import { type Credential, CredentialError } from './credential.ts';
import { type SseEvent, SseParser } from './sse-parser.ts';

export interface FollowOptions {
  /** The gateway's, without a path. */
  url: URL;
  filter: LogFilter;
  tail: number;
  credential: Credential;
  /** Nothing more is read until it resolves. */
  print(data: string): Promise<void>;
  /** Once, when the first stream is open: what is being followed, in words for people. */
  began?(text: string): void;
  /** Words for people. */
  say(text: string): void;
  /** Ends it. */
  signal: AbortSignal;
  wait(ms: number, signal: AbortSignal): Promise<void>;
  random?: () => number;
  /** How long the gateway may say nothing, in milliseconds; it sends a comment every 15 s. */
  silenceMs?: number;
}

/** Trying again would not help; the message is one line for people. */
export class LogsRefused extends Error {
  readonly code = 'LOGS_REFUSED';
  constructor(message: string) {
    super(message);
    this.name = 'LogsRefused';
  }
}

const SILENCE_MS = 45_000;
/** Of the answer that refuses: more is nothing that a person reads. */
const REASON_BYTES = 4_096;

/** Resolves when `signal` is aborted; throws LogsRefused or CredentialError. */
export async function followLogs(options: FollowOptions): Promise<void> {
  const { signal, say, url } = options;
  const backoff = new Backoff(options.random);
  const state: State = { lastId: null, isDown: false, hasBegun: false };
  while (!signal.aborted) {
    let reason = 'the stream ended';
    try {
      if (await readOnce(options, state, backoff)) continue;
    } catch (error) {
      if (error instanceof LogsRefused || error instanceof CredentialError) throw error;
      reason = reasonOf(error);
    }
    if (signal.aborted) return;
    if (!state.isDown) say(`disconnected from ${url.origin} (${reason}); trying again`);
    state.isDown = true;
    await options.wait(backoff.next(), signal);
  }
}

interface State {
  /** Where to go on. */
  lastId: string | null;
  /** People were told that there is no connection. */
  isDown: boolean;
  hasBegun: boolean;
}

/** Reads one answer to its end; true: try again at once, with another credential. */
async function readOnce(options: FollowOptions, state: State, backoff: Backoff): Promise<boolean> {
  const { url, credential, signal, say, silenceMs = SILENCE_MS } = options;
  const headers: Record<string, string> = {
    accept: 'text/event-stream',
    authorization: `Bearer ${await credential.value()}`,
    ...(state.lastId === null ? {} : { 'last-event-id': state.lastId }),
  };
  const silence = new Silence(silenceMs, signal);
  try {
    const response = await fetch(streamUrl(options, state), {
      headers,
      signal: silence.signal,
      // What is behind a redirect must not see the key.
      redirect: 'manual',
    });
    if (response.status === 401 && credential.renew()) {
      await response.body?.cancel();
      return true;
    }
    await expectStream(response, url);
    if (state.isDown) say(`connected to ${url.origin} again`);
    state.isDown = false;
    if (!state.hasBegun) options.began?.(following(options));
    state.hasBegun = true;
    await readEvents(response, options, state, backoff, silence);
    return false;
  } finally {
    silence.end();
  }
}

async function readEvents(
  response: Response,
  { print, say }: FollowOptions,
  state: State,
  backoff: Backoff,
  silence: Silence,
): Promise<void> {
  const parser = new SseParser();
  const decoder = new TextDecoder();
  let tooLong = 0;
  for await (const bytes of response.body ?? []) {
    // While a slow terminal is waited for, the gateway is not silent.
    silence.pause();
    backoff.reset();
    for (const event of parser.push(decoder.decode(bytes, { stream: true }))) await take(event);
    if (parser.retryMs !== null) backoff.baseMs = parser.retryMs;
    if (parser.tooLong > tooLong) say('a line was left out: it is too long');
    tooLong = parser.tooLong;
    silence.begin();
  }

  async function take({ data, id }: SseEvent): Promise<void> {
    await print(data);
    if (id !== null) state.lastId = id;
  }
}

/** `following http://127.0.0.1:8000, level=warn, tail=50` */
function following({ url, filter, tail }: FollowOptions): string {
  const asked = Object.entries({ ...filter, tail }).filter(([, value]) => value !== null);
  return [`following ${url.origin}`, ...asked.map(([name, value]) => `${name}=${value}`)].join(', ');
}

function streamUrl({ url, filter, tail }: FollowOptions, { lastId }: State): URL {
  const target = new URL('api/get-logs-stream', `${url.origin}${url.pathname.replace(/\/*$/, '/')}`);
  target.searchParams.set('format', 'full');
  for (const [name, value] of Object.entries(filter))
    if (value !== null) target.searchParams.set(name, value);
  // After an interruption the last id says it all.
  if (lastId === null) target.searchParams.set('tail', String(tail));
  return target;
}

/** Throws LogsRefused, or an Error when a later try may succeed. */
async function expectStream(response: Response, url: URL): Promise<void> {
  const { status } = response;
  const type = response.headers.get('content-type') ?? '';
  if (status === 200 && type.startsWith('text/event-stream')) return;
  const reason = await refusal(response);
  if (status >= 500 || status === 408 || status === 429) throw new Error(`it answered ${status}${reason}`);
  if (status === 401) throw new LogsRefused(`${url.origin} refused the key (401${reason})`);
  if (status === 403) throw new LogsRefused(`the key may not read logs of ${url.origin} (403${reason})`);
  throw new LogsRefused(`${url.origin} answered ${status}${reason} and no log stream: is it a gateway?`);
}

/** `: <the error's words>`, or nothing. */
async function refusal(response: Response): Promise<string> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const bytes of response.body ?? []) {
    text += decoder.decode(bytes, { stream: true });
    if (text.length > REASON_BYTES) break;
  }
  try {
    const { error } = JSON.parse(text);
    return typeof error === 'string' ? `: ${error.replace(/\p{Cc}/gu, ' ').slice(0, 200)}` : '';
  } catch {
    return '';
  }
}

/** Aborts when nothing has come for a while, or when `outer` is aborted. */
class Silence {
  readonly signal: AbortSignal;
  readonly #ms: number;
  readonly #abort = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  constructor(ms: number, outer: AbortSignal) {
    this.#ms = ms;
    this.signal = AbortSignal.any([outer, this.#abort.signal]);
    this.begin();
  }

  begin(): void {
    this.#timer = setTimeout(() => this.#abort.abort(new Error('it says nothing any more')), this.#ms);
  }

  pause(): void {
    clearTimeout(this.#timer);
  }

  /** Also of a connection that is still open. */
  end(): void {
    this.pause();
    this.#abort.abort(new Error('done'));
  }
}

/** fetch says `fetch failed`, and its cause why. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as { message?: string; cause?: { code?: string; message?: string } };
  return cause?.code || cause?.message || message || String(error);
}
