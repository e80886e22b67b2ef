/** A model behind any OpenAI-compatible chat completions API. */
import { setTimeout as sleep } from 'node:timers/promises';
import { TRACEPARENT } from '@natter/runtime';
import OpenAI from 'openai';
import type { Model, ModelFinish, ModelRequest } from '../model.ts';
import type { ModelOptions } from '../providers.ts';
import { retryDelayMs } from '../retry-delay.ts';
import { Deadlines } from './deadlines.ts';
import { asModelError } from './failure.ts';
import { post, type StreamedResponse } from './post.ts';
import { Reply } from './reply.ts';
import { toWire } from './wire.ts';

/**
 * Makes the adapter; nothing is sent before the first request.
 *
 * There are as many connections to a host as there are streams, and idle ones are kept for 5 s
 * (Node's global agent), so the number of concurrent answers is not limited here.
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
      fetch: post,
      // We repeat by ourselves: the SDK can't tell a first token from a later one.
      maxRetries: 0,
      timeout: this.answerTimeoutMs,
    });
  }

  async ask(request: ModelRequest, hear: (text: string) => void): Promise<ModelFinish> {
    request.signal.throwIfAborted();
    const deadlines = new Deadlines(request.signal, {
      firstTokenMs: this.#options.firstTokenTimeoutMs ?? 30_000,
      tokenMs: this.#options.tokenTimeoutMs ?? 30_000,
      totalMs: Math.min(request.timeoutMs ?? this.answerTimeoutMs, this.answerTimeoutMs),
    });
    const retries = request.retries ?? this.#options.retries ?? 2;
    let ended = false;
    try {
      for (let attempt = 0; ; attempt += 1) {
        const reply = new Reply(this.#modelFor(request), deadlines, hear);
        try {
          const response = await this.#open(request, deadlines);
          await response.read(deadlines.signal, (bytes) => reply.take(bytes));
          request.signal.throwIfAborted();
          const finish = reply.finish();
          ended = true;
          return finish;
        } catch (error) {
          if (reply.unheard !== null) throw reply.unheard.reason;
          request.signal.throwIfAborted();
          // The reply is whole: what breaks after its end costs the token count, nothing else.
          if (reply.finished) return reply.finish();
          if (deadlines.signal.aborted) throw deadlines.signal.reason;
          const failure = asModelError(error);
          const delayMs = retryDelayMs(attempt, failure.retryAfterMs, Math.random());
          if (reply.started || !failure.retryable || attempt >= retries || delayMs === null) throw failure;
          request.log.warn({ err: failure, attempt: attempt + 1, delayMs }, 'the model is asked again');
          deadlines.rest();
          await pause(delayMs, deadlines.signal);
        }
      }
    } finally {
      deadlines.close(ended);
    }
  }

  async #open(request: ModelRequest, deadlines: Deadlines): Promise<StreamedResponse> {
    deadlines.waitForFirstToken();
    const response = await this.#client.chat.completions
      .create(toWire(request, this.#modelFor(request), this.#options.baseUrl), {
        signal: deadlines.signal,
        headers: { [TRACEPARENT]: request.traceparent },
      })
      .asResponse();
    // What `post` made: the SDK has thrown for every other status.
    return response as StreamedResponse;
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
