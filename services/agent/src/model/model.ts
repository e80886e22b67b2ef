/** What an agent asks of a language model, in words that belong to no provider. */
import type { TokenUsage } from '@natter/proto';
import type { Logger } from '@natter/runtime';

export interface ToolCall {
  /** The model's id of the call; its result names it. */
  id: string;
  tool: string;
  /** JSON text as the model wrote it; nobody has checked it yet. */
  arguments: string;
}

export type ModelMessage =
  | { role: 'system' | 'user'; content: string }
  | { role: 'assistant'; content: string; toolCalls?: ToolCall[] }
  | { role: 'tool'; callId: string; content: string };

export interface ModelTool {
  name: string;
  description: string;
  /** JSON Schema of the arguments, an object. */
  parameters: Record<string, unknown>;
}

export interface ModelRequest {
  /** Routing may run on a smaller model than answering. */
  purpose: 'answer' | 'classify';
  /** The model that answers, as the provider calls it; unset means as configured. */
  model?: string;
  messages: ModelMessage[];
  tools?: ModelTool[];
  /** `none`: the tools are named, because the messages mention them, but may not be called. */
  toolChoice?: 'auto' | 'none';
  /** The reply must be JSON of this schema, where the provider can hold the model to it. */
  reply?: { name: string; schema: Record<string, unknown> };
  temperature?: number;
  maxTokens?: number;
  /** Ends the call with TIMEOUT; never longer than `Model.answerTimeoutMs`. */
  timeoutMs?: number;
  /** How often to try again before the first token; unset means as configured. */
  retries?: number;
  traceparent: string;
  signal: AbortSignal;
  log: Logger;
}

export interface ModelFinish {
  type: 'finish';
  /** `length`: the provider cut the reply off at its longest; the text is still good. */
  reason: 'stop' | 'length' | 'tool_calls';
  toolCalls: ToolCall[];
  /** Null where the provider reported none. */
  usage: TokenUsage | null;
  /** The model that answered, as the provider calls it. */
  model: string;
}

/** Any number of texts, each not empty, then exactly one finish. */
export type ModelEvent = { type: 'text'; text: string } | ModelFinish;

export interface Model {
  /** How long one answer may take, over all the calls it needs, in milliseconds. */
  readonly answerTimeoutMs: number;
  /**
   * Streams one reply.
   *
   * Throws ModelError, or the reason of `signal` once that is aborted. Leaving the loop early
   * ends the request.
   */
  stream(request: ModelRequest): AsyncIterable<ModelEvent>;
}
