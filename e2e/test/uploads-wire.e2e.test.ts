/** Uploads over rooms-v1 frame by frame, against the real stack. */
import { createHash, randomBytes } from 'node:crypto';
import { type Frame, type Probe, type Stack, startStack } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ANSWER_MS } from '../src/chat.ts';
import { reportFailures } from '../src/report-failures.ts';
import { join, openRooms, refusal, settled } from '../src/rooms-chat.ts';
import { framesOf, openJavaScriptClient, SEED_ROOM } from '../src/seed-004-clients.ts';

const MIB = 1_048_576;
let stack: Stack;
let alice: string;
let bob: string;

beforeAll(async () => {
  stack = await startStack({ gateways: 2, uploads: 2, env: { WS_RATE_LIMIT_REQUESTS: '60' } });
  alice = await stack.token({ sub: 'alice', name: 'Alice' });
  bob = await stack.token({ sub: 'bob', name: 'Bob' });
});
afterAll(() => stack?.stop());
reportFailures(() => stack);

function textOf(bytes: number): Buffer {
  return Buffer.from(randomBytes(bytes).toString('base64').slice(0, bytes));
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

function send(probe: Probe, data: object, room_id?: string): void {
  probe.send({ type: 'file_upload', data, room_id });
}

/** The next answer to this step of an upload. */
function answered(probe: Probe, upload_type: string, more: object = {}): Promise<Frame> {
  const matches = (data: Frame) =>
    Object.entries({ upload_type, ...more }).every(([key, value]) => data[key] === value);
  return probe.next(({ type, data }) => type === 'file_upload' && matches(data), ANSWER_MS);
}

async function init(probe: Probe, content: Buffer, room?: string, file_name = 'notes.txt'): Promise<string> {
  send(probe, { upload_type: 'init', file_name, file_size: content.length, mime_type: 'text/plain' }, room);
  return (await answered(probe, 'init')).data.file_id;
}

function sendBase64(probe: Probe, file_id: string, parts: Buffer[], index: number): void {
  const chunk_data = parts[index]?.toString('base64');
  send(probe, { upload_type: 'chunk', file_id, chunk_index: index, total_chunks: parts.length, chunk_data });
}

function sendBinary(probe: Probe, file_id: string, parts: Buffer[], index: number): void {
  const header = Buffer.alloc(21, 1);
  Buffer.from(file_id.replaceAll('-', ''), 'hex').copy(header, 1);
  header.writeUInt32BE(index, 17);
  probe.socket.send(Buffer.concat([header, parts[index] ?? Buffer.alloc(0)]));
}

function cut(content: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(content.length / size) }, (_, at) =>
    content.subarray(at * size, (at + 1) * size),
  );
}

async function downloaded(id: string, token = alice): Promise<Buffer> {
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(`${stack.httpUrl(1)}/api/v1/files/${id}`, { headers });
  expect(response.status).toBe(200);
  return Buffer.from(await response.arrayBuffer());
}

describe('an upload on rooms-v1', () => {
  it('[files/repeated] [files/reordered] [files/process] [files/checksum] [files/chunk-progress] [files/room-progress] [files/room-shared] comes in frames of any order, twice, in base64 and binary, while others watch', async () => {
    const content = textOf(3 * MIB + 100);
    const parts = cut(content, MIB);
    const probe = await openRooms(stack.url(), alice);
    const other = await openRooms(stack.url(1), bob);
    await join(probe, 'upload-room', { room_type: 'shared', ai: 'never' });
    await join(other, 'upload-room');
    const id = await init(probe, content, 'upload-room');
    for (const index of [3, 1]) sendBase64(probe, id, parts, index);
    for (const index of [2, 1, 0]) sendBinary(probe, id, parts, index);
    // Behind its parts, without waiting for their answers.
    send(probe, { upload_type: 'finalize', file_id: id, checksum: sha256(content).toUpperCase() });
    const end = await answered(probe, 'finalize');
    expect(end.data).toMatchObject({
      ...{ status: 'ready', file_size: content.length, checksum: sha256(content), mime_type: 'text/plain' },
      ...{ room_id: 'upload-room', url: `/api/v1/files/${id}` },
    });
    const told = probe.frames.filter(({ data }) => data?.upload_type === 'chunk');
    expect(told.map(({ data }) => data.chunk_index).sort()).toEqual([0, 1, 1, 2, 3]);
    expect(Math.max(...told.map(({ data }) => data.received_bytes))).toBe(content.length);
    expect(told.every(({ data }) => data.status === 'received' && data.total_chunks === 4)).toBe(true);
    expect(Math.max(...told.map(({ data }) => data.progress))).toBe(100);

    const shared = await answered(other, 'completed', { file_id: id });
    expect(shared.data).toMatchObject({ status: 'ready', user_id: 'alice', username: 'Alice' });
    expect(
      other.frames.some(({ data }) => data?.upload_type === 'progress' && data.user_id === 'alice'),
    ).toBe(true);
    expect(probe.frames.some(({ data }) => data?.upload_type === 'progress')).toBe(false);
    expect((await downloaded(id, bob)).equals(content)).toBe(true);
  });

  it('[files/status] [files/missing] [files/resume] goes on over another gateway, which tells what has arrived and what is missing', async () => {
    const content = textOf(50_000);
    const parts = cut(content, 10_000);
    const first = await openRooms(stack.url(), alice);
    const id = await init(first, content);
    for (const index of [0, 2]) {
      sendBinary(first, id, parts, index);
      await answered(first, 'chunk', { chunk_index: index });
    }
    first.socket.terminate();
    const probe = await openRooms(stack.url(1), alice);
    send(probe, { upload_type: 'status', file_id: id });
    expect((await answered(probe, 'status')).data).toMatchObject({
      received: [0, 2],
      received_bytes: 20_000,
    });
    sendBase64(probe, id, parts, 4);
    await answered(probe, 'chunk');
    send(probe, { upload_type: 'finalize', file_id: id, checksum: sha256(content) });
    expect((await refusal(probe)).data).toMatchObject({
      ...{ code: 'UPLOAD_INCOMPLETE', file_id: id, missing: [1, 3] },
    });
    for (const index of [1, 3]) sendBase64(probe, id, parts, index);
    for (let round = 0; round < 2; round += 1) {
      send(probe, { upload_type: 'finalize', file_id: id, checksum: `sha256:${sha256(content)}` });
      expect((await answered(probe, 'finalize')).data.status).toBe('ready');
    }
    expect((await downloaded(id)).equals(content)).toBe(true);
  });

  it('is nobody else’s, and ends when it is cancelled', async () => {
    const content = textOf(100);
    const probe = await openRooms(stack.url(), alice);
    const mallory = await openRooms(stack.url(1), bob);
    const id = await init(probe, content);
    for (const upload_type of ['status', 'cancel', 'finalize']) {
      send(mallory, { upload_type, file_id: id, checksum: sha256(content) });
      expect((await refusal(mallory)).data).toMatchObject({ code: 'UPLOAD_NOT_FOUND', file_id: id });
    }
    sendBinary(mallory, id, [content], 0);
    expect((await refusal(mallory)).data).toMatchObject({ code: 'UPLOAD_NOT_FOUND', chunk_index: 0 });
    send(probe, { upload_type: 'cancel', file_id: id });
    expect((await answered(probe, 'cancel')).data).toMatchObject({ status: 'cancelled', file_id: id });
    sendBinary(probe, id, [content], 0);
    expect((await refusal(probe)).data).toMatchObject({ code: 'UPLOAD_NOT_FOUND' });
  });

  it('of parts without end is slowed down, and its limit is not that of other frames', async () => {
    const content = textOf(1_000);
    const probe = await openRooms(stack.url(), alice);
    const id = await init(probe, content);
    const parts = cut(content, 10);
    for (let index = 0; index < parts.length; index += 1) sendBinary(probe, id, parts, index);
    const isPart = ({ type, data }: Frame) => type === 'file_upload' && data.upload_type === 'chunk';
    const isBusy = ({ type, data }: Frame) => type === 'error' && data.code === 'UPLOAD_BUSY';
    await expect
      .poll(() => probe.frames.filter((frame) => isPart(frame) || isBusy(frame)).length, {
        timeout: ANSWER_MS,
      })
      .toBe(100);
    for (const { data } of probe.frames.filter(isBusy)) {
      expect(data).toMatchObject({ file_id: id, retry_after: 1 });
      sendBinary(probe, id, parts, data.chunk_index);
      await answered(probe, 'chunk', { chunk_index: data.chunk_index });
    }
    send(probe, { upload_type: 'finalize', file_id: id, checksum: sha256(content) });
    await answered(probe, 'finalize');
    await settled(probe);
    expect((await downloaded(id)).equals(content)).toBe(true);
  });

  it.each(['base64', 'binary'] as const)(
    '[files/base64] [files/binary] [files/init] [files/chunk] [files/finalize] as the seed shows it, in %s, carries a file whole',
    async (kind) => {
      const content = textOf(2 * MIB + 5);
      const room = `seed-${kind}`;
      const probe = await openRooms(stack.url(), alice);
      await join(probe, room, { room_type: 'shared', ai: 'never' });
      const named = { file_name: 'document.txt', file_size: content.length, mime_type: 'text/plain' };
      probe.send({ type: 'file_upload', data: { upload_type: 'init', ...named }, room_id: room });
      const { data: begun } = await answered(probe, 'init');
      expect(begun).toMatchObject({ file_name: 'document.txt', status: 'initialized', room_id: room });
      const parts = cut(content, MIB);
      for (const index of parts.keys()) {
        (kind === 'binary' ? sendBinary : sendBase64)(probe, begun.file_id, parts, index);
        const { data } = await answered(probe, 'chunk');
        expect([data.chunk_index, data.received_chunks]).toEqual([index, index + 1]);
      }
      const end = { upload_type: 'finalize', file_id: begun.file_id, checksum: sha256(content) };
      probe.send({ type: 'file_upload', data: end });
      const { data } = await answered(probe, 'finalize');
      expect(data).toMatchObject({ status: 'ready', checksum: sha256(content), room_id: room });
      expect((await downloaded(begun.file_id)).equals(content)).toBe(true);
    },
  );

  it('[files/room-shared] is shown to members who were away as it is finished', async () => {
    const away = await openRooms(stack.url(1), bob);
    const probe = await openRooms(stack.url(), alice);
    await join(probe, 'away', { room_type: 'shared', ai: 'never' });
    await join(away, 'away');
    await away.close();
    const content = textOf(1_000);
    const id = await init(probe, content, 'away', 'later.txt');
    sendBinary(probe, id, [content], 0);
    send(probe, { upload_type: 'finalize', file_id: id, checksum: sha256(content) });
    await answered(probe, 'finalize');
    const back = await openRooms(stack.url(1), bob);
    const { data } = await answered(back, 'completed', { file_id: id });
    expect(data).toMatchObject({ queued: true, status: 'ready', file_name: 'later.txt', room_id: 'away' });
    await settled(back);
    expect(back.frames.filter((frame) => frame.data?.upload_type === 'completed')).toHaveLength(1);
  });

  it('does not let in what is no part: a large message closes the connection as ever', async () => {
    const probe = await openRooms(stack.url(), alice);
    probe.send({ type: 'chat', data: { message: 'x'.repeat(70_000) } });
    expect((await probe.closed).code).toBe(1009);
  });
});

describe('the JavaScript client of the seed', () => {
  it('[files/js-client] is told of uploads in its room', async () => {
    const uploader = await openRooms(stack.url(), alice);
    await join(uploader, SEED_ROOM, { room_type: 'shared', ai: 'never' });
    const page = await openJavaScriptClient(stack.gateways[1]?.ports.http ?? 0, bob);
    try {
      await expect.poll(() => page.printed(), { timeout: ANSWER_MS }).toContain('Connected to WebSocket');
      // It is in the room once the others are told so.
      await uploader.next(
        ({ type, data }) => type === 'presence' && data.user_id === 'bob' && data.status === 'online',
        ANSWER_MS,
      );
      const content = textOf(3_000);
      const id = await init(uploader, content, SEED_ROOM, 'document.txt');
      sendBase64(uploader, id, [content], 0);
      send(uploader, { upload_type: 'finalize', file_id: id, checksum: sha256(content) });
      const uploads = () => framesOf(page).filter(({ type }) => type === 'file_upload');
      await expect
        .poll(() => uploads().map(({ data }) => data.upload_type), { timeout: ANSWER_MS })
        .toContain('completed');
      expect(uploads().at(-1)?.data).toMatchObject({
        file_id: id,
        file_name: 'document.txt',
        user_id: 'alice',
      });
    } finally {
      page.stop();
    }
  });
});
