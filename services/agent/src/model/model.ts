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

/** The end of a reply. */
export interface ModelFinish {
  /** `length`: the provider cut the reply off at its longest; the text is still good. */
  reason: 'stop' | 'length' | 'tool_calls';
  toolCalls: ToolCall[];
  /** Null where the provider reported none. */
  usage: TokenUsage | null;
  /** The model that answered, as the provider calls it. */
  model: string;
}

export interface Model {
  /** How long one answer may take, over all the calls it needs, in milliseconds. */
  readonly answerTimeoutMs: number;
  /**
   * Asks for one reply; `hear` is called with each piece of text as it comes, none of them empty.
   *
   * Rejects with ModelError, or with the reason of `signal` once that is aborted. What `hear`
   * throws ends the request, and is what `ask` rejects with.
   */
  ask(request: ModelRequest, hear: (text: string) => void): Promise<ModelFinish>;
}
