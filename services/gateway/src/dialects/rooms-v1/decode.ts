/** From a frame of rooms-v1 to a command, or to the error code it deserves. */
import type { ErrorCode, TurnOptions } from '@natter/proto';
import type { z } from 'zod';
import type { Command, Decoded, MessageTarget } from '../../session/dialect.ts';
import { objectOf, parseObject } from '../json-object.ts';
import { parseChunkFrame } from './chunk-frame.ts';
import { decodeBinary, decodeUpload } from './decode-upload.ts';
import {
  AiFields,
  CancelFields,
  ChatFields,
  CursorFields,
  EditFields,
  JoinFields,
  LeaveFields,
  ModerateFields,
  OnBusyFields,
  TargetFields,
  TypingFields,
} from './frames.ts';

type Fields = Record<string, unknown>;

/** A map, not an object: `__proto__` and `constructor` are types that nobody knows. */
const DECODERS: ReadonlyMap<string, (fields: Fields) => Decoded> = new Map([
  ['chat', decoder(ChatFields, ask)],
  ['join_room', decoder(JoinFields, join)],
  ['leave_room', decoder(LeaveFields, ({ room_id }) => ({ type: 'leave', room: room_id }))],
  ['typing', decoder(TypingFields, typing)],
  ['read_receipt', decoder(TargetFields, (fields) => ({ type: 'read', target: targetOf(fields) }))],
  [
    'edit_message',
    decoder(EditFields, (fields) => ({ type: 'edit', target: targetOf(fields), text: fields.message })),
  ],
  ['delete_message', decoder(TargetFields, (fields) => ({ type: 'delete', target: targetOf(fields) }))],
  ['cancel', decoder(CancelFields, (fields) => ({ type: 'cancel', target: targetOf(fields) }))],
  ['resume', decodeResume],
  ['invite', decoder(ModerateFields, moderate('invite'))],
  ['add_member', decoder(ModerateFields, moderate('add'))],
  ['kick', decoder(ModerateFields, moderate('kick'))],
  ['ban', decoder(ModerateFields, moderate('ban'))],
  ['unban', decoder(ModerateFields, moderate('unban'))],
  ['set_ai', decoder(AiFields, ({ room_id, ai }) => ({ type: 'set_ai', room: room_id, ai }))],
  ['set_on_busy', decoder(OnBusyFields, ({ on_busy }) => ({ type: 'set_on_busy', onBusy: on_busy }))],
  ['ping', (): Decoded => ({ ok: true, command: { type: 'ping' } })],
  ['file_upload', decodeUpload],
]);

/** Never throws. A frame without a type is `chat`. Source: PROTOCOLS, rooms-v1. */
export function decode(bytes: Uint8Array, isBinary: boolean): Decoded {
  if (isBinary) return decodeBinary(bytes);
  const frame = parseChunkFrame(bytes) ?? parseObject(bytes);
  if (frame === null) return refused('INVALID_JSON');
  const type = frame.type ?? 'chat';
  const decodeFields = typeof type === 'string' ? DECODERS.get(type) : undefined;
  if (decodeFields === undefined) return refused('UNKNOWN_TYPE', nameOf(type));
  const fields = fieldsOf(frame);
  return fields === null ? refused('INVALID_FIELD', 'data') : decodeFields(fields);
}

/**
 * The fields of `data`, and the two ids that the seed shows beside it.
 *
 * What `data` says comes first: a client that adds the room it shows to every frame still joins
 * the other one that it names in `data`.
 */
function fieldsOf(frame: Fields): Fields | null {
  const data = objectOf(frame.data ?? {});
  if (data === null) return null;
  const { room_id = null, message_id = null } = data;
  return {
    ...data,
    room_id: isNone(room_id) ? frame.room_id : room_id,
    message_id: isNone(message_id) ? frame.message_id : message_id,
  };
}

function isNone(id: unknown): boolean {
  return id === null || id === '';
}

/** What a refused type was, for the error's text: 64 characters of it, none that control anything. */
function nameOf(type: unknown): string {
  if (typeof type !== 'string') return typeof type;
  return type.slice(0, 64).toWellFormed().replaceAll(/\p{C}/gu, '\ufffd');
}

function decoder<T>(schema: z.ZodType<T>, commandOf: (fields: T) => Command): (fields: Fields) => Decoded {
  return (fields) => {
    const parsed = schema.safeParse(fields);
    if (parsed.success) return { ok: true, command: commandOf(parsed.data) };
    // A schema's own key, never a text of the peer's.
    return refused('INVALID_FIELD', String(parsed.error.issues[0]?.path[0] ?? 'data'));
  };
}

function refused(code: ErrorCode, detail?: string): Decoded {
  return detail === undefined ? { ok: false, code } : { ok: false, code, detail };
}

function ask(fields: z.infer<typeof ChatFields>): Command {
  const options: TurnOptions = {};
  if (fields.model_preference !== undefined) options.modelPreference = fields.model_preference;
  if (fields.system_prompt !== undefined) options.systemPrompt = fields.system_prompt;
  if (fields.temperature !== undefined) options.temperature = fields.temperature;
  if (fields.max_tokens !== undefined) options.maxTokens = fields.max_tokens;
  return {
    type: 'ask',
    text: fields.message,
    session: fields.conversation_id,
    customerId: null,
    messageId: fields.message_id,
    room: fields.room_id,
    options,
  };
}

function join({ room_id, room_type, room_name, ai }: z.infer<typeof JoinFields>): Command {
  return { type: 'join', room: room_id, roomType: room_type ?? null, name: room_name, ai: ai ?? null };
}

function typing({ room_id, conversation_id, is_typing }: z.infer<typeof TypingFields>): Command {
  return { type: 'typing', room: room_id, conversation: conversation_id, isTyping: is_typing };
}

function targetOf(fields: z.infer<typeof CancelFields>): MessageTarget {
  return {
    room: fields.room_id,
    conversation: fields.conversation_id,
    messageId: fields.message_id ?? '',
    user: fields.user_id,
  };
}

function moderate(action: Extract<Command, { type: 'moderate' }>['action']) {
  return ({ room_id, user_id }: z.infer<typeof ModerateFields>): Command => ({
    type: 'moderate',
    action,
    room: room_id,
    user: user_id,
  });
}

/** A cursor of the wrong shape is one that nobody knows, like somebody else's. */
function decodeResume(fields: Fields): Decoded {
  const parsed = CursorFields.safeParse(fields);
  if (!parsed.success) return refused('CURSOR_UNKNOWN');
  const { cursor, cursors } = parsed.data;
  const all = [...(cursors ?? []), ...(cursor ? [cursor] : [])];
  return all.length === 0
    ? refused('CURSOR_UNKNOWN')
    : { ok: true, command: { type: 'resume', cursors: all } };
}
