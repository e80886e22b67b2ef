/** The HTTP side of rooms, for tests: makes rooms, reads them and their whole transcripts. */
import type { Frame } from '@natter/testkit';

export interface RoomRequest {
  room_id: string;
  room_type?: 'private' | 'shared' | 'group';
  ai?: 'always' | 'mention' | 'never';
}

export function createRoom(url: string, token: string, room: RoomRequest): Promise<Frame> {
  return request(url, token, 'POST', '/rooms', room);
}

export function readRoom(url: string, token: string, id: string): Promise<Frame> {
  return request(url, token, 'GET', `/rooms/${encodeURIComponent(id)}`);
}

export function deleteRoom(url: string, token: string, id: string): Promise<Frame> {
  return request(url, token, 'DELETE', `/rooms/${encodeURIComponent(id)}`);
}

export function addMember(url: string, token: string, id: string, user: string): Promise<Frame> {
  return request(url, token, 'POST', `/rooms/${encodeURIComponent(id)}/members`, { user_id: user });
}

export function kick(url: string, token: string, id: string, user: string): Promise<Frame> {
  const path = `/rooms/${encodeURIComponent(id)}/members/${encodeURIComponent(user)}`;
  return request(url, token, 'DELETE', path);
}

export function ban(url: string, token: string, id: string, user: string): Promise<Frame> {
  return request(url, token, 'POST', `/rooms/${encodeURIComponent(id)}/bans`, { user_id: user });
}

/** All messages, oldest first. */
export async function readMessages(url: string, token: string, id: string): Promise<Frame[]> {
  const messages: Frame[] = [];
  for (let before: number | null = null; ; ) {
    const query: string = before === null ? '?limit=100' : `?limit=100&before=${before}`;
    const path = `/rooms/${encodeURIComponent(id)}/messages${query}`;
    const page: Frame = await request(url, token, 'GET', path);
    messages.unshift(...page.messages);
    before = page.next_before;
    if (before === null) return messages;
  }
}

async function request(
  url: string,
  token: string,
  method: string,
  path: string,
  body?: object,
): Promise<Frame> {
  const response = await fetch(`${url}/api/v1/ws${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  const text = await response.text();
  return text === '' ? null : JSON.parse(text);
}
