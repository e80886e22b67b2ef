/** chat-v1, with cursors. Source: docs/reference/chat-v1.md. */
import { ENDING, type FaultWire, keyOf, type Seen, textOf, type WireFrame } from './fault-wire.ts';

export const chatV1: FaultWire = {
  name: 'chat-v1',
  confirms: false,
  joins: false,

  path({ token, room, conversation }, cursor) {
    const query = new URLSearchParams({ token, seq: '1' });
    if (room === null) query.set('session_id', conversation);
    else query.set('room_id', room);
    if (cursor !== '') query.set('resume', cursor);
    return `/ws/chat?${query}`;
  },

  say: (message, message_id) => ({ type: 'message', message, message_id }),
  cancel: (message_id) => ({ type: 'cancel', message_id }),

  read(frame: WireFrame): Seen | null {
    switch (frame.type) {
      case 'auth_success':
        return { kind: 'welcome' };
      case 'resumed':
        return { kind: 'resumed', recovered: frame.recovered === true };
      case 'user_message': {
        const key = keyOf(frame.user_id, frame.message_id);
        return { kind: 'said', run: textOf(frame.id), key, text: textOf(frame.message) };
      }
      case 'progress':
        return { kind: 'progress' };
      case 'token':
        return { kind: 'delta', run: null, text: textOf(frame.token), soFar: textOf(frame.partial_response) };
      case 'complete': {
        const status = frame.cancelled === true ? 'cancelled' : 'completed';
        return { kind: 'end', run: null, status, text: textOf(frame.response) };
      }
      case 'error':
        return ENDING.has(frame.code)
          ? { kind: 'end', run: null, status: 'failed', text: null }
          : { kind: 'refused', code: textOf(frame.code), messageId: null };
      case 'transcript':
      case 'left':
        return { kind: 'fault', what: frame.type };
      default:
        return null;
    }
  },
};
