/** An upload client on rooms-v1 for tests: single steps, whole files, and what became of them. */
import { createHash, randomUUID } from 'node:crypto';
import type { Frame, Probe } from '@natter/testkit';
import { ANSWER_MS } from './chat.ts';

/** MAX_CHUNK_SIZE of the seed. */
export const PART_BYTES = 1_048_576;

/** Of one connection; the gateway takes 64 commands and 8 MiB. */
const COMMANDS_AT_ONCE = 32;
const BYTES_AT_ONCE = 4 * PART_BYTES;

export interface FileToUpload {
  name: string;
  content: Uint8Array;
  type?: string | null;
  /** Where; without both it is in the room of the query, else in the connection's own conversation. */
  room?: string;
  conversation?: string;
  /** Default `PART_BYTES`. */
  partBytes?: number;
  /** Default: binary frames. */
  base64?: boolean;
  /** Said in place of the truth; `skip` is the index of a part that is never sent. */
  told?: { size?: number; sha256?: string; skip?: number };
}

export type Step = 'init' | 'chunk' | 'finalize';

/** How far an upload came: the last answer to it, and the step that got it. */
export interface Outcome {
  /** Null where no upload began. */
  id: string | null;
  step: Step;
  /** `ready`, `quarantined`, or the code of an error. */
  result: string;
  /** Data of the last answer. */
  data: Frame;
}

export const sha256Of = (content: Uint8Array) => createHash('sha256').update(content).digest('hex');

/** Views of the content; at least one, of nothing where it is empty. */
export function partsOf(content: Uint8Array, partBytes = PART_BYTES): Uint8Array[] {
  return Array.from({ length: Math.max(1, Math.ceil(content.length / partBytes)) }, (_, index) =>
    content.subarray(index * partBytes, (index + 1) * partBytes),
  );
}

/** Uploads a whole file as far as it goes. One upload of a connection at a time. */
export async function uploadFile(probe: Probe, file: FileToUpload): Promise<Outcome> {
  const begun = await initUpload(probe, file);
  if (begun.type === 'error') return outcome('init', null, begun);
  const id: string = begun.data.file_id;
  const parts = partsOf(file.content, file.partBytes);
  const indexes = [...parts.keys()].filter((index) => index !== file.told?.skip);
  const refused = await sendParts(probe, id, parts, { indexes, base64: file.base64 });
  if (refused !== null) return outcome('chunk', id, refused);
  const checksum = file.told?.sha256 ?? sha256Of(file.content);
  return outcome('finalize', id, await finalizeUpload(probe, id, checksum));
}

/** The answer or the error. */
export function initUpload(probe: Probe, file: FileToUpload): Promise<Frame> {
  const { name, content, type, room, conversation, told } = file;
  sendUpload(probe, {
    upload_type: 'init',
    file_name: name,
    file_size: told?.size ?? content.length,
    ...(type == null ? {} : { mime_type: type }),
    ...(room === undefined ? {} : { room_id: room }),
    ...(conversation === undefined ? {} : { conversation_id: conversation }),
    message_id: randomUUID(),
  });
  // An error of a field has no message_id.
  return probe.next(
    ({ type, data }) =>
      type === 'file_upload' ? data.upload_type === 'init' : type === 'error' && data.file_id === undefined,
    ANSWER_MS,
  );
}

export interface Sending {
  /** Default: all, in order. */
  indexes?: number[];
  base64?: boolean | undefined;
}

/** Sends parts, some at once; resolves with the first error when what was sent is answered, else with null. */
export async function sendParts(
  probe: Probe,
  id: string,
  parts: readonly Uint8Array[],
  { indexes = [...parts.keys()], base64 = false }: Sending = {},
): Promise<Frame | null> {
  const waiting = [...indexes];
  const largest = Math.max(1, ...parts.map(({ length }) => length));
  const atOnce = Math.min(COMMANDS_AT_ONCE, Math.max(1, Math.floor(BYTES_AT_ONCE / largest)));
  let underWay = 0;
  let refused: Frame | null = null;
  while (underWay > 0 || (waiting.length > 0 && refused === null)) {
    while (underWay < atOnce && waiting.length > 0 && refused === null) {
      const index = waiting.shift() as number;
      sendPart(probe, id, index, parts[index] as Uint8Array, base64 ? parts.length : 'binary');
      underWay += 1;
    }
    const answer = await answerTo(probe, 'chunk', id);
    underWay -= 1;
    if (answer.type === 'error') refused ??= answer;
  }
  return refused;
}

/** Sends one part and waits for nothing: as base64 with this total, or as a binary frame. */
export function sendPart(
  probe: Probe,
  id: string,
  index: number,
  part: Uint8Array,
  total: number | 'binary' = 'binary',
): void {
  if (total === 'binary') return probe.send(binaryPart(id, index, part));
  const chunk_data = Buffer.from(part.buffer, part.byteOffset, part.length).toString('base64');
  sendUpload(probe, {
    upload_type: 'chunk',
    ...{ file_id: id, chunk_index: index, total_chunks: total, chunk_data },
  });
}

/** The answer or the error. */
export function finalizeUpload(probe: Probe, id: string, checksum: string): Promise<Frame> {
  sendUpload(probe, { upload_type: 'finalize', file_id: id, checksum });
  return answerTo(probe, 'finalize', id);
}

/** The answer or the error. */
export function askUpload(probe: Probe, upload_type: 'status' | 'cancel', id: string): Promise<Frame> {
  sendUpload(probe, { upload_type, file_id: id });
  return answerTo(probe, upload_type, id);
}

/** Sends a command and waits for nothing. */
export function sendUpload(probe: Probe, data: object): void {
  probe.send({ type: 'file_upload', data });
}

/** The next answer to this command about this file, or its error. A status of a file answers as finalize. */
export function answerTo(probe: Probe, upload_type: string, id: string): Promise<Frame> {
  const isPart = upload_type === 'chunk';
  const types = upload_type === 'status' ? ['status', 'finalize'] : [upload_type];
  return probe.next(({ type, data }) => {
    if (data?.file_id !== id) return false;
    if (type === 'error') return (data.chunk_index !== undefined) === isPart;
    return type === 'file_upload' && types.includes(data.upload_type);
  }, ANSWER_MS);
}

/** A part as a binary frame: version, id, index, bytes. */
export function binaryPart(id: string, index: number, part: Uint8Array): Uint8Array {
  const frame = Buffer.alloc(21 + part.length);
  frame[0] = 1;
  frame.write(id.replaceAll('-', ''), 1, 'hex');
  frame.writeUInt32BE(index, 17);
  frame.set(part, 21);
  return frame;
}

function outcome(step: Step, id: string | null, { type, data }: Frame): Outcome {
  return { id, step, result: type === 'error' ? data.code : data.status, data };
}
