/** A model behind any OpenAI-compatible chat completions API. */
import { setTimeout as sleep } from 'node:timers/promises';
import { TRACEPARENT } from '@natter/runtime';
import OpenAI from 'openai';
import type { Model, ModelEvent, ModelRequest } from '../model.ts';
import type { ModelOptions } from '../providers.ts';
import { retryDelayMs } from '../retry-delay.ts';
import { Deadlines } from './deadlines.ts';
import { asModelError } from './failure.ts';
import { ReplyReader } from './reply-reader.ts';
import { toWire } from './wire.ts';

/** The time a finished reply waits for the chunk with the token count, which some never send. */
const USAGE_WAIT_MS = 2_000;

/**
 * Makes the adapter; nothing is sent before the first request.
 *
 * Node's fetch opens as many connections to a host as there are streams and keeps idle ones for
 * 4 s, so the number of concurrent answers is not limited here.
 */
export function createOpenAiModel(options: ModelOptions): Model {
  return new OpenAiModel(options);
}

class OpenAiModel implements Model {
  readonly answerTimeoutMs: number;
  readonly #options: ModelOptions;
  readonly #client: OpenAI;

  constructor(options: ModelOptions) {
    this.#options = options;
    this.answerTimeoutMs = options.timeoutMs ?? 300_000;
    this.#client = new OpenAI({
      baseURL: options.baseUrl,
      apiKey: options.apiKey,
      // Unset, the SDK would take these from the environment of the process.
      adminAPIKey: null,
      organization: null,
      project: null,
      webhookSecret: null,
      logLevel: 'off',
      // We repeat by ourselves: the SDK can't tell a first token from a later one.
      maxRetries: 0,
      timeout: this.answerTimeoutMs,
    });
  }

  async *stream(request: ModelRequest): AsyncGenerator<ModelEvent, void, undefined> {
    request.signal.throwIfAborted();
    const deadlines = new Deadlines(request.signal, {
      firstTokenMs: this.#options.firstTokenTimeoutMs ?? 30_000,
      tokenMs: this.#options.tokenTimeoutMs ?? 30_000,
      totalMs: Math.min(request.timeoutMs ?? this.answerTimeoutMs, this.answerTimeoutMs),
    });
    const retries = request.retries ?? this.#options.retries ?? 2;
    try {
      for (let attempt = 0; ; attempt += 1) {
        const reader = new ReplyReader(this.#modelFor(request));
        try {
          // In one generator: each further layer would cost every token three more microtasks.
          for await (const chunk of await this.#open(request, deadlines)) {
            const text = reader.take(chunk);
            if (reader.finished) deadlines.endWithin(USAGE_WAIT_MS);
            else if (reader.started) deadlines.tokenArrived();
            if (text !== '') yield { type: 'text', text };
            if (reader.complete) break;
          }
          // The SDK ends an aborted stream in silence.
          if (!reader.finished && deadlines.signal.aborted) throw deadlines.signal.reason;
          request.signal.throwIfAborted();
          yield reader.finish();
          return;
        } catch (error) {
          request.signal.throwIfAborted();
          if (reader.finished) {
            // The reply is whole: what breaks after its end costs the token count, nothing else.
            yield reader.finish();
            return;
          }
          if (deadlines.signal.aborted) throw deadlines.signal.reason;
          const failure = asModelError(error);
          const delayMs = retryDelayMs(attempt, failure.retryAfterMs, Math.random());
          if (reader.started || !failure.retryable || attempt >= retries || delayMs === null) throw failure;
          request.log.warn({ err: failure, attempt: attempt + 1, delayMs }, 'the model is asked again');
          deadlines.rest();
          await pause(delayMs, deadlines.signal);
        }
      }
    } finally {
      deadlines.close();
    }
  }

  #open(request: ModelRequest, deadlines: Deadlines) {
    deadlines.waitForFirstToken();
    return this.#client.chat.completions.create(
      toWire(request, this.#modelFor(request), this.#options.baseUrl),
      { signal: deadlines.signal, headers: { [TRACEPARENT]: request.traceparent } },
    );
  }

  #modelFor(request: ModelRequest): string {
    const { model, classifierModel } = this.#options;
    return request.model ?? (request.purpose === 'classify' ? (classifierModel ?? model) : model);
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch {
    // Only an abort rejects a timer.
    throw signal.reason;
  }
}
