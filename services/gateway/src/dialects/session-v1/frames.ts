/** Frames of session-v1 that come in, wire-exact. Source: seeds/002, Message Protocol. */
import { isClientId } from '@natter/proto';
import { z } from 'zod';

/** Natter's addition on every frame; null and an empty text count as absent. */
const MessageId = z
  .string()
  .refine((id) => id === '' || isClientId(id))
  .nullish()
  .transform((id) => id || null);

/** The original looks at `content` only, so a frame with any `type` may be a question. */
export const QuestionFrame = z.object({ content: z.string().min(1), message_id: MessageId });

/** Natter's addition: stop the answer to this message, or whatever is being answered. */
export const CancelFrame = z.object({ type: z.literal('cancel'), message_id: MessageId });
