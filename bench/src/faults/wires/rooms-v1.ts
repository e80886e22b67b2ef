/** rooms-v1, with cursors. Source: docs/reference/rooms-v1.md. */
import { type FaultWire, keyOf, type Seen, textOf, type WireFrame } from './fault-wire.ts';

export const roomsV1: FaultWire = {
  name: 'rooms-v1',
  confirms: true,
  joins: true,

  path({ token, room }, cursor) {
    const query = new URLSearchParams({ token, seq: '1' });
    if (room !== null) query.set('room_id', room);
    if (cursor !== '') query.set('resume', cursor);
    return `/api/v1/ws/ws?${query}`;
  },

  say: (message, message_id, { room, conversation }) => ({
    type: 'chat',
    data: room === null ? { message, conversation_id: conversation } : { message },
    ...(room === null ? {} : { room_id: room }),
    message_id,
  }),

  cancel: (message_id, { room, conversation }) => ({
    type: 'cancel',
    data: room === null ? { message_id, conversation_id: conversation } : { message_id },
    ...(room === null ? {} : { room_id: room }),
  }),

  read({ type, data = {} }: WireFrame): Seen | null {
    switch (type) {
      case 'connect':
        return { kind: 'welcome' };
      case 'join_room':
        return { kind: 'joined' };
      case 'resumed':
        return { kind: 'resumed', recovered: data.recovered === true };
      case 'delivery_confirmation':
        return data.status === 'delivered'
          ? { kind: 'confirmed', run: textOf(data.id), messageId: textOf(data.message_id) }
          : null;
      case 'chat':
        return readChat(data);
      case 'error':
        return data.id === undefined
          ? { kind: 'refused', code: textOf(data.code), messageId: textOf(data.message_id) || null }
          : { kind: 'end', run: textOf(data.id), status: 'failed', text: null };
      case 'leave_room':
      case 'transcript':
      case 'queue_cut':
        return { kind: 'fault', what: type };
      default:
        return null;
    }
  },
};

function readChat(data: Record<string, unknown>): Seen | null {
  const run = textOf(data.id);
  if (data.role === 'user')
    return { kind: 'said', run, key: keyOf(data.user_id, data.message_id), text: textOf(data.content) };
  if (data.streaming === true) return { kind: 'delta', run, text: textOf(data.content), soFar: null };
  if (data.done !== true) return null;
  const status = data.cancelled === true ? 'cancelled' : 'completed';
  return { kind: 'end', run, status, text: textOf(data.response) };
}
