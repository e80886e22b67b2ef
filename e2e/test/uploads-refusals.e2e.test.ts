/** Refused uploads over rooms-v1: each with a code of its own, and nothing that tells how it is done here. */
import { randomBytes } from 'node:crypto';
import { type Frame, type Probe, type Stack, startStack } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HOSTILE_IDS, inUrl } from '../src/hostile-ids.ts';
import { sumMetric } from '../src/metrics.ts';
import { reportFailures } from '../src/report-failures.ts';
import { openRooms, refusal, settled } from '../src/rooms-chat.ts';
import {
  answerTo,
  askUpload,
  finalizeUpload,
  initUpload,
  sendPart,
  sendUpload,
  sha256Of,
} from '../src/uploading-client.ts';

const MIB = 1_048_576;
let stack: Stack;
let alice: string;

beforeAll(async () => {
  stack = await startStack({ uploads: 2, env: { WS_RATE_LIMIT_REQUESTS: '10000' } });
  alice = await stack.token({ sub: 'alice', name: 'Alice' });
});
afterAll(() => stack?.stop());
reportFailures(() => stack);

/** What clients are told of errors, and nothing that tells how it is done here. */
function expectNoInternals({ data }: Frame): void {
  const fields = ['error', 'code', 'correlation_id', 'message_id', 'file_id', 'chunk_index', 'missing'];
  expect(Object.keys(data).filter((key) => ![...fields, 'retry_after'].includes(key))).toEqual([]);
  expect(data).toMatchObject({ error: expect.any(String), code: expect.stringMatching(/^[A-Z_]+$/) });
  const { file_id: _, ...rest } = data;
  expect(JSON.stringify(rest)).not.toMatch(
    /nats|jetstream|\$KV|chunk\.|uploads\.ask|stack|\.ts|node_modules|zod/i,
  );
}

/** Begins an upload of a text; its id. */
async function begin(probe: Probe, size: number, name = 'a.txt'): Promise<string> {
  const frame = await initUpload(probe, { name, content: Buffer.alloc(0), told: { size } });
  expect(frame).toMatchObject({ type: 'file_upload', data: { status: 'initialized' } });
  return frame.data.file_id;
}

const textOf = (bytes: number) => Buffer.from(randomBytes(bytes).toString('base64').slice(0, bytes));

describe('an upload', () => {
  it('[files/max-chunk] [files/codes] has a code for each thing that can be wrong with a part', async () => {
    const probe = await openRooms(stack.url(), alice);
    const id = await begin(probe, 2 * MIB);
    const chunk = (data: object) =>
      sendUpload(probe, { upload_type: 'chunk', file_id: id, chunk_index: 0, total_chunks: 2, ...data });
    const wrong: [data: object, code: string][] = [
      [{ chunk_data: 'no base64!' }, 'CHUNK_INVALID'],
      [{ chunk_data: '' }, 'CHUNK_INVALID'],
      [{ chunk_data: 'YQ==', chunk_index: -1 }, 'CHUNK_INVALID'],
      [{ chunk_data: 'YQ==', chunk_index: 2 }, 'CHUNK_INVALID'],
      [{ chunk_data: 'YQ==', total_chunks: 2_000 }, 'CHUNK_INVALID'],
      [{ chunk_data: textOf(MIB + 1).toString('base64') }, 'CHUNK_TOO_LARGE'],
      [{ chunk_data: textOf(MIB + 300_000).toString('base64') }, 'CHUNK_TOO_LARGE'],
    ];
    for (const [data, code] of wrong) {
      chunk(data);
      expect((await refusal(probe)).data).toMatchObject({ code, file_id: id });
    }
    sendPart(probe, id, 0, textOf(MIB + 1));
    expect((await refusal(probe)).data).toMatchObject({ code: 'CHUNK_TOO_LARGE', chunk_index: 0 });
    // The first part decides how many there are.
    chunk({ chunk_data: 'YQ==' });
    expect((await answerTo(probe, 'chunk', id)).data.status).toBe('received');
    chunk({ chunk_data: 'YQ==', total_chunks: 3 });
    expect((await refusal(probe)).data).toMatchObject({ code: 'CHUNK_INVALID', file_id: id });
  });

  it('[files/max-size] [files/limits-said] [files/type-by-name] [files/no-internals] that may not begin is refused as what it is', async () => {
    const probe = await openRooms(stack.url(), alice);
    const wrong: [data: object, code: string][] = [
      [{ file_size: 52_428_801 }, 'FILE_TOO_LARGE'],
      [{ file_size: 0 }, 'FILE_EMPTY'],
      [{ file_size: -1 }, 'INVALID_FIELD'],
      [{ file_size: 'many' }, 'INVALID_FIELD'],
      [{ file_name: 'setup.exe' }, 'FILE_TYPE_NOT_ALLOWED'],
      [{ file_name: 'photo.jpg.exe' }, 'FILE_TYPE_NOT_ALLOWED'],
      [{ file_name: '..' }, 'FILE_NAME_INVALID'],
    ];
    for (const [data, code] of wrong) {
      sendUpload(probe, { upload_type: 'init', file_name: 'a.txt', file_size: 10, message_id: 'm', ...data });
      const error = await refusal(probe);
      expect([data, error.data.code]).toEqual([data, code]);
      expectNoInternals(error);
    }
    // The largest one may begin.
    const id = await begin(probe, 52_428_800);
    expect((await askUpload(probe, 'cancel', id)).data.status).toBe('cancelled');
  });

  it('[files/codes] [files/checksum] [files/hash-verified] [files/size-verified] [files/type-by-content] [files/no-internals] that may not end is refused as what it is', async () => {
    const probe = await openRooms(stack.url(), alice);
    const content = textOf(1_000);
    const right = sha256Of(content);
    const wrong: [told: { size?: number; name?: string }, checksum: unknown, code: string][] = [
      [{}, undefined, 'CHECKSUM_INVALID'],
      [{}, 'md5:abc', 'CHECKSUM_INVALID'],
      [{}, sha256Of(textOf(10)), 'CHECKSUM_MISMATCH'],
      [{ name: 'photo.png' }, right, 'FILE_TYPE_MISMATCH'],
      [{ size: 1_001 }, right, 'FILE_SIZE_MISMATCH'],
    ];
    for (const [{ size = 1_000, name }, checksum, code] of wrong) {
      const file_id = await begin(probe, size, name);
      const total = size === 1_001 ? 1 : 'binary';
      sendPart(probe, file_id, 0, content, total);
      expect((await answerTo(probe, 'chunk', file_id)).data.status).toBe('received');
      sendUpload(probe, { upload_type: 'finalize', file_id, checksum });
      const error = await refusal(probe);
      expect(error.data).toMatchObject({ code, file_id });
      expectNoInternals(error);
      const response = await fetch(`${stack.httpUrl()}/api/v1/files/${file_id}`, {
        headers: { authorization: `Bearer ${alice}` },
      });
      expect([code, response.status]).toEqual([code, 404]);
      expectNoInternals({ data: await response.json() });
    }
  });

  it('[files/strange-ids] of a file_id that is none is an error, and nobody asks the uploads service', async () => {
    const probe = await openRooms(stack.url(), alice);
    await settled(probe);
    // A gateway still tells of parts that other tests have sent.
    const asked = () =>
      Promise.all(stack.uploads.map((one) => sumMetric(one, 'natter_uploads_requests_total', 'op="settle"')));
    const before = await asked();
    for (const file_id of [...Object.values(HOSTILE_IDS), 'file-uuid', 17, null, ['a'], { a: 1 }]) {
      for (const upload_type of ['status', 'cancel', 'finalize', 'chunk']) {
        const part = { chunk_index: 0, total_chunks: 1, chunk_data: 'YQ==', checksum: sha256Of(textOf(1)) };
        sendUpload(probe, { upload_type, file_id, ...part });
        const error = await refusal(probe);
        expect(['UPLOAD_NOT_FOUND', 'INVALID_FIELD', 'CHUNK_INVALID']).toContain(error.data.code);
        expectNoInternals(error);
      }
    }
    for (const id of Object.values(HOSTILE_IDS).filter((one) => one !== '')) {
      for (const path of [`files/${inUrl(id)}`, `uploads/${inUrl(id)}`]) {
        const headers = { authorization: `Bearer ${alice}`, 'tus-resumable': '1.0.0' };
        const { status } = await fetch(`${stack.httpUrl()}/api/v1/${path}`, { method: 'HEAD', headers });
        expect([400, 404]).toContain(status);
      }
    }
    expect(await asked()).toEqual(before);
  });

  it('[files/binary-bad] a binary frame that is no part gets an error, and the connection goes on', async () => {
    const probe = await openRooms(stack.url(), alice);
    const content = textOf(100);
    const id = await begin(probe, content.length);
    const header = Buffer.alloc(21, 1);
    Buffer.from(id.replaceAll('-', ''), 'hex').copy(header, 1);
    for (const [bytes, code] of [
      [Buffer.alloc(0), 'INVALID_JSON'],
      [Buffer.from('{"type": "ping"}'), 'INVALID_JSON'],
      [header.subarray(0, 20), 'CHUNK_INVALID'],
      [Buffer.concat([Buffer.of(2), header.subarray(1), content]), 'INVALID_JSON'],
      [header, 'CHUNK_INVALID'],
      [Buffer.concat([header.subarray(0, 17), Buffer.alloc(4, 255), content]), 'CHUNK_INVALID'],
    ] as const) {
      probe.socket.send(bytes);
      expect((await refusal(probe)).data.code).toBe(code);
    }
    sendPart(probe, id, 0, content);
    expect((await finalizeUpload(probe, id, sha256Of(content))).data.status).toBe('ready');
  });
});
