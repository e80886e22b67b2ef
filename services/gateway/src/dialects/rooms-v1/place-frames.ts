/** What people do in a room or conversation, as rooms-v1 shows it to those who watch. */
import type { PlaceContext, PlaceEvent } from '../../session/dialect.ts';
import { frame, isoTime, where } from './wire.ts';

export function encodePlaceEvent(event: PlaceEvent, context: PlaceContext): string {
  const { cursor } = context;
  switch (event.type) {
    case 'message.posted':
      return frame(
        'chat',
        {
          role: 'user',
          content: event.text,
          ...person(event),
          message_id: event.id,
          id: event.run,
          timestamp: isoTime(event.at),
          ...stored(context),
        },
        cursor,
      );
    case 'message.edited':
      return frame('message_edited', { content: event.text, ...changed(event, context) }, cursor);
    case 'message.deleted':
      return frame('message_deleted', changed(event, context), cursor);
    case 'message.read':
      return frame(
        'delivery_confirmation',
        {
          message_id: event.id,
          id: event.run,
          status: 'read',
          ...person({ sub: event.by, name: event.name }),
          message_user_id: event.sub,
          timestamp: isoTime(event.at),
          ...stored(context),
        },
        cursor,
      );
    case 'file.shared':
      return frame(
        'file_upload',
        {
          upload_type: 'completed',
          status: 'ready',
          file_id: event.file,
          file_name: event.name,
          file_size: event.size,
          mime_type: event.contentType,
          checksum: event.sha256,
          url: `/api/v1/files/${event.file}`,
          ...person({ sub: event.sub, name: event.subName }),
          timestamp: isoTime(event.at),
          ...stored(context),
        },
        cursor,
      );
    case 'file.progress':
      return frame(
        'file_upload',
        {
          upload_type: 'progress',
          status: event.status,
          file_id: event.file,
          file_name: event.name,
          file_size: event.size,
          received_bytes: event.received,
          progress: percent(event.received, event.size),
          ...person({ sub: event.sub, name: event.subName }),
          timestamp: isoTime(context.atMs),
          ...where(context),
        },
        cursor,
      );
    case 'typing':
      return frame(
        'typing',
        {
          ...person(event),
          is_typing: event.isTyping,
          room_id: context.room,
          conversation_id: where(context).conversation_id,
        },
        cursor,
      );
    case 'member.came':
    case 'member.went': {
      const status = event.type === 'member.came' ? 'online' : 'offline';
      const data = { ...person(event), status, timestamp: isoTime(context.atMs), ...where(context) };
      return frame('presence', data, cursor);
    }
  }
}

/** Whole percents of a file that have arrived. */
export function percent(received: number, size: number): number {
  return size === 0 ? 100 : Math.floor((Math.min(received, size) * 100) / size);
}

/** Everybody has a name to show. */
export function person({ sub, name }: { sub: string; name: string | null }) {
  return { user_id: sub, username: name ?? sub };
}

/** An edit names its message by the bus-wide id alone: ids of clients are unique for one user only. */
function changed(event: { run: string; by: string; at: number }, context: PlaceContext) {
  return { id: event.run, user_id: event.by, timestamp: isoTime(event.at), ...stored(context) };
}

function stored(context: PlaceContext) {
  return { position: context.position, queued: context.queued || undefined, ...where(context) };
}
