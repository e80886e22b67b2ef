/** How the demo model behaves: speed, kind of answer, fault. One schema for code and HTTP. */
import { z } from 'zod';

/** What every fault may be limited by. */
const limits = {
  /** Number of requests it hits; unset: all until it is replaced. */
  times: z.int().min(1).max(1_000_000).optional(),
  /** Hits only requests whose last user message contains this text. */
  matching: z.string().min(1).max(1_000).optional(),
  /**
   * Which requests it hits. Unset: `answers` for `cut` and `garbage`, which mean a stream, so that
   * the classification before it succeeds; `all` for the others.
   */
  on: z.enum(['all', 'answers', 'classifications']).optional(),
};

const tokensPerSecond = z.number().min(0).max(1_000_000);
const firstTokenMs = z.number().min(0).max(600_000);
const afterTokens = z.int().min(0).max(1_000_000);

export const faultSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none') }),
  /** Answers with this HTTP status and an error body; `retryAfter` in seconds. */
  z.strictObject({
    kind: z.literal('status'),
    status: z.int().min(400).max(599),
    retryAfter: z.number().min(0).max(3_600).optional(),
    ...limits,
  }),
  /** Takes the request and never answers, not even with headers. */
  z.strictObject({ kind: z.literal('hang'), ...limits }),
  /** Destroys the socket after so many tokens. */
  z.strictObject({ kind: z.literal('cut'), afterTokens, ...limits }),
  /** After so many tokens sends an event that is not JSON, and ends. */
  z.strictObject({ kind: z.literal('garbage'), afterTokens, ...limits }),
  /** Headers at once, then slowly: unset means 3,000 ms to the first token and 1 token a second. */
  z.strictObject({
    kind: z.literal('slow'),
    tokensPerSecond: tokensPerSecond.optional(),
    firstTokenMs: firstTokenMs.optional(),
    ...limits,
  }),
]);
export type Fault = z.infer<typeof faultSchema>;

export const behaviourSchema = z.strictObject({
  /** 0 means as fast as the client reads. */
  tokensPerSecond,
  /** Milliseconds from request to first token. */
  firstTokenMs,
  /** `extract` quotes the passages, `echo` repeats the last user message. */
  answer: z.enum(['extract', 'echo']),
  /** Text that answers every request but classifications, word for word; null: off. */
  script: z.string().max(1_000_000).nullable(),
  fault: faultSchema,
});
export type Behaviour = z.infer<typeof behaviourSchema>;

export const DEFAULT_BEHAVIOUR: Behaviour = {
  tokensPerSecond: 60,
  firstTokenMs: 0,
  answer: 'extract',
  script: null,
  fault: { kind: 'none' },
};
