/** The frames by which session-v1 shows what people say, and what only rooms and resuming know. */
import type { Notice, PlaceContext, PlaceEvent } from '../../session/dialect.ts';

type Posted = Extract<PlaceEvent, { type: 'message.posted' }>;
type Transcript = Extract<Notice, { type: 'transcript' }>;

/** The echo of the seed. In a room people and messages must be told apart; a session has one person. */
export function userFrame({ run, id, sub, name, text }: Posted, { room, cursor }: PlaceContext): string {
  const author = { id: run, message_id: id, user_id: sub, username: name };
  return JSON.stringify({
    type: 'user',
    content: text,
    ...(room !== null && author),
    cursor: cursor ?? undefined,
  });
}

export function editedFrame(run: string, text: string, cursor: string | null): string {
  return JSON.stringify({ type: 'message_edited', id: run, content: text, cursor: cursor ?? undefined });
}

export function deletedFrame(run: string, cursor: string | null): string {
  return JSON.stringify({ type: 'message_deleted', id: run, cursor: cursor ?? undefined });
}

/** One frame of its own: `agent` frames would end questions once more. */
export function transcriptFrame({ messages, cursor }: Transcript): string {
  return JSON.stringify({
    type: 'transcript',
    messages: messages.map(({ role, run, id, sub, name, text, at, editedAt, deletedAt, end }) => ({
      type: role === 'user' ? 'user' : 'agent',
      content: text,
      id: run,
      message_id: id,
      user_id: sub,
      username: name,
      timestamp: new Date(at).toISOString(),
      edited: editedAt === undefined ? undefined : true,
      deleted: deletedAt === undefined ? undefined : true,
      cancelled: end?.type === 'run.cancelled' ? true : undefined,
      code: end?.type === 'run.failed' ? end.code : undefined,
    })),
    cursor: cursor ?? undefined,
  });
}
