/** Shares a file in a room or a conversation: tus in its two requests, without a client library. */
import { expect } from 'vitest';

export interface SharedFile {
  name: string;
  content: Uint8Array;
  /** Where; without both the file is the user's own. */
  room?: string;
  conversation?: string;
}

/** Resolves with the file's id once it is finished; fails where it is refused. */
export async function shareFile(httpUrl: string, token: string, file: SharedFile): Promise<string> {
  const headers = { authorization: `Bearer ${token}`, 'tus-resumable': '1.0.0' };
  const named = { filename: file.name, room_id: file.room, conversation_id: file.conversation };
  const metadata = Object.entries(named)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key} ${Buffer.from(value ?? '').toString('base64')}`);
  const created = await fetch(`${httpUrl}/api/v1/uploads`, {
    method: 'POST',
    headers: {
      ...headers,
      'upload-length': String(file.content.length),
      'upload-metadata': metadata.join(','),
    },
  });
  expect([created.status, await created.text()]).toEqual([201, '']);
  const sent = await fetch(new URL(created.headers.get('location') ?? '', httpUrl), {
    method: 'PATCH',
    headers: { ...headers, 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' },
    body: Buffer.from(file.content),
  });
  expect([sent.status, await sent.text()]).toEqual([204, '']);
  return created.headers.get('x-natter-file-id') ?? '';
}
