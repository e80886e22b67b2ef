/** A room in which files are shared: who shares them, who watches, and what each of them is told. */
import type { Frame, Probe, Stack } from '@natter/testkit';
import { ANSWER_MS } from './chat.ts';
import { join, openRooms } from './rooms-chat.ts';

export interface UploadRoom {
  id: string;
  /** Who uploads. */
  owner: Probe;
  /** A member, on the last gateway. */
  member: Probe;
}

/** A new room without an AI. */
export async function openUploadRoom(
  stack: Stack,
  id: string,
  { owner, member }: { owner: string; member: string },
): Promise<UploadRoom> {
  const ownerProbe = await openRooms(stack.url(0), owner);
  await join(ownerProbe, id, { room_type: 'shared', ai: 'never' });
  const memberProbe = await openRooms(stack.url(stack.gateways.length - 1), member);
  await join(memberProbe, id);
  return { id, owner: ownerProbe, member: memberProbe };
}

/** The next frame by which this one is told of a file: `progress` or `completed`, with this status. */
export function toldOf(probe: Probe, file: string, upload_type: string, status: string): Promise<Frame> {
  return probe.next(
    ({ type, data }) =>
      type === 'file_upload' &&
      data.file_id === file &&
      data.upload_type === upload_type &&
      data.status === status,
    ANSWER_MS,
  );
}

/** Whether this one was ever told that the file is there. */
export function heardOf(probe: Probe, file: string): boolean {
  return probe.frames.some(
    ({ type, data }) => type === 'file_upload' && data.upload_type === 'completed' && data.file_id === file,
  );
}
