/** What the bucket `runs` keeps of a conversation: which turns have ended, who produces which. */
import { RunId } from '@natter/proto';
import { z } from 'zod';

export const ConversationState = z.object({
  /** When TURNS was made: sequences of another life of the stream mean nothing. */
  epoch: z.string(),
  /** Highest sequence in TURNS of a turn that has ended; turns end in order. */
  doneSeq: z.number().int().nonnegative(),
  active: z
    .object({
      /** Sequence of the turn in TURNS. */
      seq: z.number().int().positive(),
      run: RunId,
      /** The agent process that produces it; empty when it was handed back. */
      owner: z.string(),
      /** How often the run was claimed, from 1. */
      claim: z.number().int().positive(),
      /** How often its agent went away without a word. */
      deaths: z.number().int().nonnegative(),
    })
    .nullable(),
  /** Where in MESSAGES the newest turns begin, oldest first: what a model is shown of the past. */
  recent: z.array(z.number().int().positive()),
});
export type ConversationState = z.infer<typeof ConversationState>;

export const NEW_CONVERSATION: ConversationState = { epoch: '', doneSeq: 0, active: null, recent: [] };
