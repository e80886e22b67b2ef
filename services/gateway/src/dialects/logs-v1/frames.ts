/** Shapes of logs-v1: what a request asks for and what a client sends. */
import { LOG_LEVELS, LogName } from '@natter/proto';
import { z } from 'zod';

/** Lines of the past that one request may ask for. */
export const MAX_TAIL = 1_000;

const Sequence = z.number().int().nonnegative();
const Digits = z
  .string()
  .regex(/^\d{1,16}$/)
  .transform(Number);

/** Parameters of the query; an empty one counts as none. */
export const Query = z.object({
  service: LogName.nullable(),
  level: z.enum(LOG_LEVELS).nullable(),
  category: LogName.nullable(),
  tail: Digits.pipe(Sequence.max(MAX_TAIL)).nullable(),
  cursor: Digits.pipe(Sequence).nullable(),
  name: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/)
    .nullable(),
  format: z.enum(['plain', 'full']).nullable(),
});

/** `{"ack": 1042}` */
export const Acknowledgement = z.object({ ack: Sequence.positive() });
