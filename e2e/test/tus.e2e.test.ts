/** Uploads over HTTP with tus-js-client, unchanged, against the real stack. */
import { createHash, randomBytes } from 'node:crypto';
import { type Stack, startStack } from '@natter/testkit';
import { Upload, type UploadOptions } from 'tus-js-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reportFailures } from '../src/report-failures.ts';
import { openRooms } from '../src/rooms-chat.ts';
import { uploadFile } from '../src/uploading-client.ts';

const MIB = 1_048_576;
let stack: Stack;
let alice: string;
let bob: string;

beforeAll(async () => {
  stack = await startStack({ gateways: 2, uploads: 2 });
  alice = await stack.token({ sub: 'alice', name: 'Alice' });
  bob = await stack.token({ sub: 'bob', name: 'Bob' });
});
afterAll(() => stack?.stop());
reportFailures(() => stack);

const endpoint = (gateway = 0) => `${stack.httpUrl(gateway)}/api/v1/uploads`;
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** Text that no two lines of are the same. */
function textOf(bytes: number): Buffer {
  return Buffer.from(randomBytes(bytes).toString('base64').slice(0, bytes));
}

interface Uploaded {
  url: string;
  id: string;
  state: string;
}

function upload(content: Buffer, options: UploadOptions, during: (one: Upload) => void = () => undefined) {
  const { promise, resolve, reject } = Promise.withResolvers<Uploaded>();
  const one: Upload = new Upload(content, {
    endpoint: endpoint(),
    headers: bearer(alice),
    retryDelays: [100, 500, 1_000, 2_000, 4_000],
    ...options,
    onError: reject,
    onSuccess: ({ lastResponse }) =>
      resolve({
        url: one.url ?? '',
        id: lastResponse.getHeader('X-Natter-File-Id') ?? '',
        state: lastResponse.getHeader('X-Natter-File-State') ?? '',
      }),
  });
  during(one);
  one.start();
  return promise;
}

async function download(id: string, token = alice, headers: Record<string, string> = {}, gateway = 0) {
  const url = `${stack.httpUrl(gateway)}/api/v1/files/${id}`;
  const response = await fetch(url, { headers: { ...bearer(token), ...headers } });
  return { response, bytes: Buffer.from(await response.arrayBuffer()) };
}

/** What tus-js-client says of a refusal. */
async function refused(uploading: Promise<unknown>) {
  const error = await uploading.then(
    () => null,
    (reason: Error & { originalResponse?: { getStatus(): number; getBody(): string } }) => reason,
  );
  const response = error?.originalResponse;
  return [response?.getStatus(), JSON.parse(response?.getBody() ?? 'null')?.code];
}

async function codeOf(response: Response): Promise<string> {
  return ((await response.json()) as { code: string }).code;
}

describe('tus-js-client', () => {
  it('[tus/js-client] [tus/creation] uploads a file in one request, which is there on any gateway, byte for byte', async () => {
    const content = textOf(3 * MIB + 17);
    const { id, state } = await upload(content, {
      metadata: { filename: 'Gerät.txt', filetype: 'text/plain' },
    });
    expect(state).toBe('ready');
    const { response, bytes } = await download(id, alice, {}, 1);
    expect(bytes.equals(content)).toBe(true);
    expect(response.headers.get('content-length')).toBe(String(content.length));
    expect(response.headers.get('content-disposition')).toContain("filename*=UTF-8''Ger%C3%A4t.txt");
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    const sha256 = createHash('sha256').update(content).digest('hex');
    expect(response.headers.get('etag')).toBe(`"${sha256}"`);

    const part = await download(id, alice, { range: `bytes=${MIB - 2}-${MIB + 1}` });
    expect(part.response.status).toBe(206);
    expect(part.bytes.equals(content.subarray(MIB - 2, MIB + 2))).toBe(true);
    const again = await download(id, alice, { 'if-none-match': `"${sha256}"` });
    expect([again.response.status, again.bytes.length]).toEqual([304, 0]);
    const head = await fetch(`${stack.httpUrl(1)}/api/v1/files/${id}`, {
      method: 'HEAD',
      headers: bearer(alice),
    });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, String(content.length)]);
    expect((await download(id, bob)).response.status).toBe(404);
  });

  it('[tus/js-client] uploads in requests of any size, also with a method that proxies know', async () => {
    const content = textOf(700_000);
    for (const more of [{}, { overridePatchMethod: true }]) {
      const metadata = { filename: 'notes.txt' };
      const { id } = await upload(content, { metadata, chunkSize: 130_001, ...more });
      expect((await download(id)).bytes.equals(content)).toBe(true);
    }
  });

  it('[tus/js-client] [tus/offset] [files/resume] goes on where it was on another gateway, after it was cut off', async () => {
    const content = textOf(5 * MIB);
    const url = await new Promise<string>((resolve, reject) => {
      const one: Upload = new Upload(content, {
        endpoint: endpoint(),
        headers: bearer(alice),
        metadata: { filename: 'notes.txt' },
        chunkSize: MIB,
        onError: reject,
        onChunkComplete: (_size, accepted) => {
          if (accepted >= 2 * MIB) void one.abort().then(() => resolve(one.url ?? ''));
        },
      });
      one.start();
    });
    const sent: number[] = [];
    const { id } = await upload(content, {
      uploadUrl: url.replace(stack.httpUrl(0), stack.httpUrl(1)),
      chunkSize: MIB,
      onChunkComplete: (size) => sent.push(size),
    });
    expect(sent.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(3 * MIB);
    expect((await download(id)).bytes.equals(content)).toBe(true);
  });

  it('[tus/termination] [tus/js-client] ends an upload, of which nothing is left', async () => {
    const content = textOf(2 * MIB);
    const url = await new Promise<string>((resolve, reject) => {
      const one: Upload = new Upload(content, {
        endpoint: endpoint(),
        headers: bearer(alice),
        metadata: { filename: 'notes.txt' },
        chunkSize: MIB,
        onError: reject,
        onChunkComplete: () => void one.abort(true).then(() => resolve(one.url ?? ''), reject),
      });
      one.start();
    });
    const head = await fetch(url, {
      method: 'HEAD',
      headers: { ...bearer(alice), 'tus-resumable': '1.0.0' },
    });
    expect(head.status).toBe(404);
  });

  it('is told why a file is refused', async () => {
    const exe = upload(textOf(10), { metadata: { filename: 'setup.exe' } });
    expect(await refused(exe)).toEqual([415, 'FILE_TYPE_NOT_ALLOWED']);
    const png = upload(textOf(1_000), { metadata: { filename: 'a.png' } });
    expect(await refused(png)).toEqual([415, 'FILE_TYPE_MISMATCH']);
    const large = upload(Buffer.alloc(1), { metadata: { filename: 'a.txt' }, uploadSize: 52_428_801 });
    expect(await refused(large)).toEqual([413, 'FILE_TOO_LARGE']);
    const nobody = upload(textOf(10), { metadata: { filename: 'a.txt' }, headers: bearer('nonsense') });
    expect(await refused(nobody)).toEqual([401, 'INVALID_TOKEN']);
    const room = upload(textOf(10), { metadata: { filename: 'a.txt', room_id: 'nowhere' } });
    expect(await refused(room)).toEqual([403, 'ROOM_DENIED']);
  });

  it('shares a file with a room, and with nobody else', async () => {
    const rooms = `${stack.httpUrl()}/api/v1/ws/rooms`;
    const made = await fetch(rooms, {
      method: 'POST',
      headers: bearer(alice),
      body: JSON.stringify({ room_id: 'tus-room', room_type: 'group' }),
    });
    expect(made.status).toBe(201);
    const { id } = await upload(textOf(100), { metadata: { filename: 'a.txt', room_id: 'tus-room' } });
    expect((await download(id, bob)).response.status).toBe(404);
    const body = JSON.stringify({ user_id: 'bob' });
    await fetch(`${rooms}/tus-room/members`, { method: 'POST', headers: bearer(alice), body });
    expect((await download(id, bob, {}, 1)).response.status).toBe(200);
    const listed = await fetch(`${stack.httpUrl(1)}/api/v1/files?room_id=tus-room`, { headers: bearer(bob) });
    expect(await listed.json()).toMatchObject({ files: [{ file_id: id, user_id: 'alice' }] });

    expect((await fetch(`${rooms}/tus-room`, { method: 'DELETE', headers: bearer(alice) })).status).toBe(200);
    await fetch(rooms, {
      method: 'POST',
      headers: bearer(bob),
      body: JSON.stringify({ room_id: 'tus-room', room_type: 'group' }),
    });
    expect((await download(id, bob)).response.status).toBe(404);
    const gone = await fetch(`${stack.httpUrl()}/api/v1/files/${id}`, {
      method: 'DELETE',
      headers: bearer(alice),
    });
    expect(gone.status).toBe(200);
    expect((await download(id)).response.status).toBe(404);
  });

  it('[tus/js-client] [files/killed] uploads although the uploads service that took its last bytes is killed', async () => {
    const content = textOf(6 * MIB);
    let killed = false;
    const { id } = await upload(content, {
      metadata: { filename: 'notes.txt' },
      chunkSize: MIB,
      onChunkComplete: () => {
        if (killed) return;
        killed = true;
        void stack.uploads[0]?.kill();
      },
    });
    expect((await download(id)).bytes.equals(content)).toBe(true);
  });

  it('[tus/js-client] goes on by itself when it loses its gateway, which comes back', async () => {
    const content = textOf(6 * MIB);
    let restarted: Promise<void> | null = null;
    const { id } = await upload(content, {
      metadata: { filename: 'notes.txt' },
      chunkSize: MIB,
      // However long a gateway takes to start here.
      retryDelays: Array.from({ length: 100 }, () => 300),
      onProgress: (sent) => {
        const [gateway] = stack.gateways;
        if (sent > 2.5 * MIB) restarted ??= gateway?.kill().then(() => gateway.restart()) ?? null;
      },
    });
    expect(restarted).not.toBe(null);
    await restarted;
    expect((await download(id)).bytes.equals(content)).toBe(true);
  });

  it('[tus/not-others] nobody sees, continues or ends the upload of somebody else', async () => {
    const content = textOf(1_000);
    const metadata = { filename: 'mine.txt' };
    const url = await new Promise<string>((resolve, reject) => {
      const one: Upload = new Upload(content, {
        ...{ endpoint: endpoint(), headers: bearer(alice), metadata, chunkSize: 400, onError: reject },
        onChunkComplete: () => void one.abort().then(() => resolve(one.url ?? ''), reject),
      });
      one.start();
    });
    const asBob = (method: string, more: Record<string, string> = {}, body?: Buffer) =>
      fetch(url, {
        method,
        headers: { ...bearer(bob), 'tus-resumable': '1.0.0', ...more },
        ...(body === undefined ? {} : { body }),
      });
    expect((await asBob('HEAD')).status).toBe(404);
    const patch = { 'content-type': 'application/offset+octet-stream', 'upload-offset': '400' };
    const refusedPatch = await asBob('PATCH', patch, textOf(600));
    expect([refusedPatch.status, await codeOf(refusedPatch)]).toEqual([404, 'UPLOAD_NOT_FOUND']);
    expect((await asBob('DELETE')).status).toBe(404);
    const { id } = await upload(content, { uploadUrl: url });
    expect((await download(id)).bytes.equals(content)).toBe(true);
    expect((await download(id, bob)).response.status).toBe(404);
  });

  it('[tus/same-store] its files are as those that came by WebSocket', async () => {
    const carol = await stack.token({ sub: 'carol', name: 'Carol' });
    const content = textOf(MIB + 1);
    const name = 'both.txt';
    const probe = await openRooms(stack.url(1), carol);
    const ways = [
      await uploadFile(probe, { name, content, conversation: 'both' }),
      await upload(content, {
        headers: bearer(carol),
        metadata: { filename: name, conversation_id: 'both' },
      }),
    ];
    await probe.close();
    const list = await fetch(`${stack.httpUrl()}/api/v1/files?conversation_id=both`, {
      headers: bearer(carol),
    });
    const { files } = (await list.json()) as { files: Record<string, unknown>[] };
    expect(files.map(({ file_id }) => file_id).sort()).toEqual(ways.map(({ id }) => id).sort());
    const [one, other] = files.map(({ file_id: _, url: __, created_at: ___, ...rest }) => rest);
    expect(one).toEqual(other);
    for (const { id } of ways) {
      const { response, bytes } = await download(id ?? '', carol);
      expect(bytes.equals(content)).toBe(true);
      expect(response.headers.get('content-type')).toContain('text/plain');
    }
  });
});

describe('a client that cuts its bodies off', () => {
  it('[tus/offset] finds what arrived, and ends with the right file', async () => {
    const content = textOf(2 * MIB);
    const tus = { ...bearer(alice), 'tus-resumable': '1.0.0' };
    const created = await fetch(endpoint(), {
      method: 'POST',
      headers: {
        ...tus,
        'upload-length': String(content.length),
        'upload-metadata': `filename ${Buffer.from('a.txt').toString('base64')}`,
      },
    });
    const url = new URL(created.headers.get('location') ?? '', endpoint()).href;
    const offset = async () =>
      Number((await fetch(url, { method: 'HEAD', headers: tus })).headers.get('upload-offset'));
    const patch = (at: number, body: Buffer | ReadableStream, signal?: AbortSignal) =>
      fetch(url, {
        method: 'PATCH',
        headers: {
          ...tus,
          'content-type': 'application/offset+octet-stream',
          'upload-offset': String(at),
        },
        body,
        ...(signal === undefined ? {} : { signal }),
        duplex: 'half',
      } as RequestInit);

    const cut = new AbortController();
    const half = new ReadableStream({
      start: (controller) => controller.enqueue(content.subarray(0, MIB + 5_000)),
    });
    const broken = patch(0, half, cut.signal).catch((reason: Error) => reason.name);
    await expect.poll(offset, { timeout: 30_000 }).toBe(MIB);
    cut.abort();
    expect(await broken).toBe('AbortError');
    // The rest of what came is stored when the gateway sees that the client has gone.
    await expect.poll(offset, { timeout: 30_000 }).toBe(MIB + 5_000);
    const conflict = await patch(0, content.subarray(0, 10));
    expect([conflict.status, await codeOf(conflict)]).toEqual([409, 'UPLOAD_OFFSET_CONFLICT']);
    const ended = await patch(MIB + 5_000, content.subarray(MIB + 5_000));
    expect([ended.status, ended.headers.get('upload-offset')]).toEqual([204, String(content.length)]);
    expect((await download(ended.headers.get('x-natter-file-id') ?? '')).bytes.equals(content)).toBe(true);
  });

  it('[tus/checksum] may send a checksum with each, and a wrong one stores nothing', async () => {
    const content = textOf(1_000);
    const tus = { ...bearer(alice), 'tus-resumable': '1.0.0' };
    const created = await fetch(endpoint(), {
      method: 'POST',
      headers: {
        ...tus,
        'upload-length': '1000',
        'upload-metadata': `filename ${Buffer.from('a.txt').toString('base64')}`,
      },
    });
    const url = new URL(created.headers.get('location') ?? '', endpoint()).href;
    const patch = (checksum: string) =>
      fetch(url, {
        method: 'PATCH',
        headers: {
          ...tus,
          'content-type': 'application/offset+octet-stream',
          'upload-offset': '0',
          'upload-checksum': checksum,
        },
        body: content,
      });
    const wrong = await patch(`sha1 ${createHash('sha1').update('other').digest('base64')}`);
    expect([wrong.status, await codeOf(wrong)]).toEqual([460, 'CHECKSUM_MISMATCH']);
    const right = await patch(`sha256 ${createHash('sha256').update(content).digest('base64')}`);
    expect(right.status).toBe(204);
  });
});
