/** What a run emits, in the order in which it happens. */
import { z } from 'zod';
import { RUN_ERRORS } from './errors.ts';
import { LIMITS } from './limits.ts';

/** Steps of a run, in this order; each is started once. Source: seeds/001, Progress Updates. */
export const RUN_STEPS = ['starting', 'agent_routing', 'rag_retrieval', 'generating'] as const;
export type RunStep = (typeof RUN_STEPS)[number];

export const TokenUsage = z.object({
  inputTokens: z.number().int().nonnegative(),
  outputTokens: z.number().int().nonnegative(),
});
export type TokenUsage = z.infer<typeof TokenUsage>;

/** How an answer came about; part of the transcript and of the last event of a run. */
export const AnswerMetadata = z.object({
  agent: z.string().max(64),
  /** 0 to 1; docs/reference/confidence.md says how it is computed. */
  confidence: z.number().min(0).max(1),
  /** Knowledge files the answer rests on, most used first. */
  sources: z.array(z.string().max(512)).max(LIMITS.sources),
  model: z.string().max(128),
  /** Null where the provider reported none. */
  usage: TokenUsage.nullable(),
  /** By the price table of the agent; unset where it doesn't list the model. */
  costUsd: z.number().nonnegative().optional(),
  /** Milliseconds from the question to the end of the answer. */
  responseMs: z.number().int().nonnegative().optional(),
});
export type AnswerMetadata = z.infer<typeof AnswerMetadata>;

/** The first event: whose question is answered. */
export const RunStarted = z.object({
  type: z.literal('run.started'),
  messageId: z.string().min(1).max(LIMITS.idBytes),
  sub: z.string().min(1).max(LIMITS.idBytes),
  name: z.string().max(256).nullable(),
  text: z.string().max(LIMITS.messageChars),
  askedAt: z.number().int().nonnegative(),
});

export const StepStarted = z.object({ type: z.literal('step.started'), step: z.enum(RUN_STEPS) });

/**
 * More of the answer. `at` is the offset in the whole answer, in UTF-16 code units, so that a
 * reader can drop what it has, and can tell that something is missing.
 */
export const TextDelta = z.object({
  type: z.literal('text.delta'),
  at: z.number().int().nonnegative(),
  text: z.string().min(1),
});

export const ToolCalled = z.object({
  type: z.literal('tool.called'),
  tool: z.string().max(64),
  /** JSON of what the tool answered, cut at 8,000 characters. */
  result: z.string().max(8_000),
});

/** The agent that answers; after the step `agent_routing`. */
export const AgentChosen = z.object({ type: z.literal('agent.chosen'), agent: z.string().max(64) });

/** Something people should know that isn't part of the answer, such as a tool server left out. */
export const RunNoted = z.object({ type: z.literal('run.noted'), text: z.string().min(1).max(500) });

/** Another agent goes on with the run, after `at` code units of the answer. */
export const RunResumed = z.object({ type: z.literal('run.resumed'), at: z.number().int().nonnegative() });

/** The answer as a whole: a reader that saw no delta has everything. */
export const RunCompleted = z.object({
  type: z.literal('run.completed'),
  text: z.string().max(LIMITS.answerChars),
  metadata: AnswerMetadata,
});

export const RunFailed = z.object({
  type: z.literal('run.failed'),
  code: z.enum(RUN_ERRORS),
  /** Finds the cause in the logs; says nothing by itself. */
  correlationId: z.string().max(64),
});

/** Stopped by whoever asked, or by a moderator; `text` is all that will ever be of the answer. */
export const RunCancelled = z.object({
  type: z.literal('run.cancelled'),
  text: z.string().max(LIMITS.answerChars),
  by: z.string().min(1).max(LIMITS.idBytes),
});

export const RunEvent = z.discriminatedUnion('type', [
  RunStarted,
  StepStarted,
  TextDelta,
  ToolCalled,
  AgentChosen,
  RunNoted,
  RunResumed,
  RunCompleted,
  RunFailed,
  RunCancelled,
]);
export type RunEvent = z.infer<typeof RunEvent>;
export type RunEnd = z.infer<typeof RunCompleted> | z.infer<typeof RunFailed> | z.infer<typeof RunCancelled>;

/**
 * One message on a run's subject: the events since the one before.
 *
 * `n` counts a run's messages from 1, so a reader sees a repeat and a gap. `claim` counts how
 * often the run changed hands.
 */
export const RunBatch = z.object({
  n: z.number().int().positive(),
  claim: z.number().int().positive(),
  events: z.array(RunEvent).min(1),
  /** With the last event: sequence in MESSAGES of the record of how the run ended. */
  endSeq: z.number().int().positive().optional(),
});
export type RunBatch = z.infer<typeof RunBatch>;

/** Whether this event is the one that ends its run. */
export function isRunEnd(event: RunEvent): event is RunEnd {
  return event.type === 'run.completed' || event.type === 'run.failed' || event.type === 'run.cancelled';
}
