/** The boundary between a run (src/turn) and whoever answers its question. */
import type { AnswerMetadata, RunStep, TranscriptMessage } from '@natter/proto';
import type { Logger } from '@natter/runtime';

export interface Question {
  /** Run id; tools derive idempotency keys from it. */
  run: string;
  text: string;
  /** The conversation before this question, oldest first, already bounded. */
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
  /** The last one. */
  | { type: 'done'; metadata: AnswerMetadata };

export interface AgentSummary {
  name: string;
  description: string;
}

export interface Orchestrator {
  /** Throws ModelError, or the reason of `signal` once that is aborted. */
  answer(question: Question): AsyncIterable<AnswerEvent>;
  describe(): AgentSummary[];
  close(): Promise<void>;
}
