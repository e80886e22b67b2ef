/** What the gateway tells one connection of rooms-v1. */
import type { TranscriptMessage } from '@natter/proto';
import type { Notice } from '../../session/dialect.ts';
import { person } from './place-frames.ts';
import { uploadFrame } from './upload-frames.ts';
import { ASSISTANT, frame, isoTime, where } from './wire.ts';

export function encodeNotice(notice: Notice): string {
  switch (notice.type) {
    case 'connected':
      return frame('connect', {
        connection_id: notice.connection,
        status: 'connected',
        server_time: isoTime(notice.atMs),
        ...person(notice.principal),
      });
    case 'heartbeat':
      return frame('system', { heartbeat: true, server_time: isoTime(notice.atMs) });
    case 'pong':
      return frame('pong', { server_time: isoTime(notice.atMs) });
    case 'confirmed':
      return frame('delivery_confirmation', {
        message_id: notice.messageId,
        id: notice.run,
        status: notice.status,
        timestamp: isoTime(notice.atMs),
        ...where(notice.place),
      });
    case 'joined':
      return joinedFrame(notice);
    case 'left':
      return frame('leave_room', {
        room_id: notice.room,
        reason: notice.why,
        timestamp: isoTime(notice.atMs),
      });
    case 'moderated':
      return frame(notice.action === 'add' ? 'add_member' : notice.action, {
        room_id: notice.room,
        user_id: notice.user ?? undefined,
        status: 'done',
        timestamp: isoTime(notice.atMs),
      });
    case 'cancel':
      return frame('cancel', {
        status: notice.status,
        message_id: notice.messageId,
        id: notice.run,
        ...where(notice.place),
      });
    case 'resumed':
      return frame('resumed', {
        recovered: notice.recovered,
        timestamp: isoTime(notice.atMs),
        ...where(notice.place),
      });
    case 'transcript':
      return frame(
        'transcript',
        { messages: notice.messages.map(shown), ...where(notice.place) },
        notice.cursor,
      );
    case 'upload':
    case 'uploaded':
      return uploadFrame(notice);
    case 'queue_cut':
      return frame('queue_cut', { dropped: notice.dropped, ...where(notice.place) });
  }
}

function joinedFrame({ room, role, participants, atMs }: Extract<Notice, { type: 'joined' }>): string {
  return frame('join_room', {
    room_id: room.id,
    room_name: room.name,
    room_type: room.type,
    participants: participants.map(({ sub }) => sub),
    // The seed has ids only; people want to read names.
    participants_info: participants.map(person),
    joined_at: isoTime(atMs),
    role,
    ai: room.ai,
  });
}

/** One message, with the names that its live frame has. */
function shown(message: TranscriptMessage) {
  const { seq, role, run, id, sub, name, text, at, editedAt, deletedAt, end } = message;
  const common = { position: seq, role, id: run, content: text, timestamp: isoTime(at) };
  if (role === 'user') {
    return {
      ...common,
      message_id: id,
      ...person({ sub, name }),
      edited_at: editedAt === undefined ? undefined : isoTime(editedAt),
      deleted_at: deletedAt === undefined ? undefined : isoTime(deletedAt),
    };
  }
  return {
    ...common,
    message_id: run,
    ...ASSISTANT,
    // Empty when the question is older than what is kept.
    reply_to: id || null,
    reply_to_user: sub || null,
    status: end?.type.slice('run.'.length),
  };
}
