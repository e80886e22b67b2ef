/** The boundary between a run (src/turn) and whoever answers its question. */
import type { AnswerMetadata, ErrorCode, RunStep, TranscriptMessage, TurnOptions } from '@natter/proto';
import type { Logger } from '@natter/runtime';

export interface Question {
  /** Key of the conversation, whose files may be searched. */
  conversation: string;
  /** Run id; tools derive idempotency keys from it. */
  run: string;
  text: string;
  /** Who asks; in a room several people do. */
  sub: string;
  /** What others call them, or null. */
  name: string | null;
  /** What the client asks of whoever answers; empty: as configured. */
  options: TurnOptions;
  /** The conversation before this question, oldest first, already bounded by `options.contextMessages`. */
  history: TranscriptMessage[];
  /** Whose appointments the tools may see and make: a key that no other user can name. */
  customerId: string;
  /** Steps and text that an earlier attempt of this run already published (after a crash), else empty. */
  published: { steps: ReadonlySet<RunStep>; text: string };
  traceparent: string;
  signal: AbortSignal;
  log: Logger;
}

export type AnswerEvent =
  /** agent_routing, rag_retrieval, generating: in this order, once each, published before or not. */
  | { type: 'step'; step: RunStep }
  /** New text only: what follows `published.text`. Never empty. */
  | { type: 'text'; text: string }
  /** A tool was called; `result` is JSON of at most 8,000 characters. */
  | { type: 'tool'; tool: string; result: string }
  /** The agent that answers; after the step `agent_routing`, published before or not. */
  | { type: 'agent'; agent: string }
  /** Something people should know that isn't part of the answer: 1 to 500 characters. */
  | { type: 'note'; text: string };

/** The turn asks for what this deployment does not have; nothing was asked of a model. */
export class TurnRefused extends Error {
  readonly code: Extract<ErrorCode, 'MODEL_NOT_ALLOWED' | 'UNKNOWN_PROVIDER'>;
  constructor(code: TurnRefused['code'], message: string) {
    super(message);
    this.code = code;
    this.name = 'TurnRefused';
  }
}

export interface AgentSummary {
  name: string;
  description: string;
}

export interface Orchestrator {
  /**
   * Resolves when all of the answer was told.
   *
   * Rejects with TurnRefused, ModelError, or the reason of `signal` once that is aborted. What
   * `tell` throws ends the answer, and is what it rejects with.
   */
  answer(question: Question, tell: (event: AnswerEvent) => void): Promise<AnswerMetadata>;
  describe(): AgentSummary[];
  close(): Promise<void>;
}
