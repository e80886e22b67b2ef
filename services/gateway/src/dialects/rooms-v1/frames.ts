/**
 * What clients send on rooms-v1, wire-exact. Source: seeds/004, WebSocket Message Types.
 *
 * The schemas are of the fields of `data`, where `room_id` and `message_id` of the frame itself
 * stand in for those that `data` doesn't have (`fieldsOf` in decode.ts).
 */
import { AiMode, isClientId, RoomType, TurnOptions } from '@natter/proto';
import { z } from 'zod';

const Id = z.string().refine(isClientId);

/** The seed's Python client sends null for "none", forms send an empty text. */
const OptionalId = z
  .string()
  .refine((id) => id === '' || isClientId(id))
  .nullish()
  .transform((id) => id || null);

/**
 * The seed numbers conversations and messages. A number is the id that its digits spell; one above
 * 2^53 has lost digits on the way here, and a neighbour's would be the same.
 */
const SpelledId = z.union([z.int().transform(String), Id]);
const OptionalSpelledId = z.union([z.int().transform(String), OptionalId]);

/** A missing text is an empty one: the session has an error for that. */
const Text = z
  .unknown()
  .optional()
  .transform((value) => (typeof value === 'string' ? value : ''));

/** null, as JSON of optional values in Python has it, means as configured. */
const { modelPreference, systemPrompt, temperature, maxTokens } = TurnOptions.shape;

const orNone = <T>(value: T | null | undefined): T | undefined => value || undefined;

export const ChatFields = z.object({
  message: Text,
  conversation_id: OptionalSpelledId,
  room_id: OptionalId,
  message_id: OptionalSpelledId,
  model_preference: z
    .union([z.literal(''), modelPreference])
    .nullish()
    .transform(orNone),
  system_prompt: systemPrompt.nullish().transform(orNone),
  temperature: temperature.nullish().transform((value) => value ?? undefined),
  max_tokens: maxTokens.nullish().transform(orNone),
});

export const JoinFields = z.object({
  room_id: Id,
  room_type: z.union([z.literal('').transform(() => null), RoomType.nullish()]),
  room_name: z
    .string()
    .max(256)
    .nullish()
    .transform((name) => name || null),
  ai: AiMode.nullish(),
});

export const LeaveFields = z.object({ room_id: Id });

export const TypingFields = z.object({
  is_typing: z
    .boolean()
    .nullish()
    .transform((isTyping) => isTyping ?? false),
  room_id: OptionalId,
  conversation_id: OptionalSpelledId,
});

/** A message that is meant: by the sender's own id, by the bus-wide one, or with its author. */
export const TargetFields = z.object({
  message_id: SpelledId,
  room_id: OptionalId,
  conversation_id: OptionalSpelledId,
  user_id: OptionalId,
});

export const EditFields = TargetFields.extend({ message: Text });

/** Without a message: whatever is being answered there. */
export const CancelFields = TargetFields.extend({ message_id: OptionalSpelledId });

export const ModerateFields = z.object({ room_id: Id, user_id: Id });

export const AiFields = z.object({ room_id: Id, ai: AiMode });

export const OnBusyFields = z.object({ on_busy: z.enum(['queue', 'reject', 'interrupt']) });

/** A name that is no text is an empty one, which the uploads service refuses with a code of its own. */
export const InitFields = z.object({
  file_name: Text,
  file_size: z.int(),
  mime_type: z
    .string()
    .max(1_024)
    .nullish()
    .transform((type) => type || null),
  room_id: OptionalId,
  conversation_id: OptionalSpelledId,
  message_id: OptionalSpelledId,
});

/** Ids of files are UUIDs, which RFC 9562 lets people write in capitals. */
export const UploadFields = z.object({ file_id: Id.transform((id) => id.toLowerCase()) });

/** What is no checksum is none: there is an error for that. Tools write it in capitals, or name its kind. */
export const FinalizeFields = UploadFields.extend({
  checksum: Text.transform((text) => {
    const hex = text.trim().toLowerCase().replace('sha256:', '');
    return /^[0-9a-f]{64}$/.test(hex) ? hex : null;
  }),
});

/** As many as the query may name, see `openingOf`; none of ours comes near the length. */
export const CursorFields = z.object({
  cursor: z.string().max(4_096).nullish(),
  cursors: z.array(z.string().min(1).max(4_096)).max(64).nullish(),
});
