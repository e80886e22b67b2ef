/** Stores a part as a gateway does: a look at its upload, the bytes into CHUNKS, and then what they make of it. */
import { randomUUID } from 'node:crypto';
import { partName, SUBJECTS, type UploadsReply, type UploadsRequest } from '@natter/proto';
import type { Bus } from '@natter/runtime';

export interface PartRequest {
  op: 'chunk';
  sub: string;
  id: string;
  position: { index: number; total: number | null } | { offset: number };
}

export async function putPart(
  gateway: Pick<Bus, 'append'>,
  ask: (request: UploadsRequest) => Promise<UploadsReply>,
  { sub, id, position }: PartRequest,
  bytes: Uint8Array,
): Promise<UploadsReply> {
  const [at, total] = 'index' in position ? [position.index, position.total] : [position.offset, null];
  const granted = await ask({ op: 'settle', sub, id, total, stored: [] });
  if (!granted.ok) return granted;
  const part = { at, length: bytes.length };
  await gateway.append(SUBJECTS.chunk(id, partName(part)), bytes, { id: randomUUID() });
  return ask({ op: 'settle', sub, id, total: null, stored: [part] });
}
