import { createHash } from 'node:crypto';
import type { RoomsReply, RoomsRequest } from '@natter/proto';
import { BusError } from '@natter/runtime';
import { describe, expect, it } from 'vitest';
import { BodyTooLarge } from '../../src/rest/route.ts';
import { Transfers } from '../../src/rest/transfers.ts';
import { uploadRoutes } from '../../src/rest/upload-routes.ts';
import type { FileProgress } from '../../src/session/progress-frames.ts';
import { openRooms } from '../session/rig.ts';
import { askRaw, codeOf, type RawAsk } from './ask-raw.ts';
import { signIn } from './asked.ts';
import { FakeUploads } from './fake-uploads.ts';

const PATH = '/api/v1/uploads';

function rig() {
  const uploads = new FakeUploads();
  const self = {
    uploads,
    rooms: openRooms() as (request: RoomsRequest) => Promise<RoomsReply>,
    told: [] as [string, FileProgress][],
    retryAfter: 0,
    patchRetryAfter: 0,
    ask: (method: 'POST' | 'HEAD' | 'PATCH' | 'DELETE' | 'OPTIONS', path: string, asked: RawAsk = {}) =>
      askRaw(routes, method, path, {
        token: 'alice',
        ...asked,
        headers: { 'tus-resumable': '1.0.0', ...asked.headers },
      }),
    create: async (size: number, metadata: Record<string, string> = { filename: 'notes.txt' }) => {
      const pairs = Object.entries(metadata).map(([key, text]) => `${key} ${base64(text)}`);
      const headers = { 'upload-length': String(size), 'upload-metadata': pairs.join(',') };
      return self.ask('POST', PATH, { headers });
    },
    patch: (path: string, offset: number, pieces: (string | Uint8Array)[], headers = {}) =>
      self.ask('PATCH', path, {
        pieces,
        headers: {
          'content-type': 'application/offset+octet-stream',
          'upload-offset': String(offset),
          ...headers,
        },
      }),
  };
  const routes = uploadRoutes({
    ...signIn(),
    uploads,
    rooms: { ask: (request) => self.rooms(request) },
    rates: { take: async () => self.retryAfter },
    bodies: new Transfers(2),
    patches: { take: () => self.patchRetryAfter },
    progress: {
      say: (conversation, event) => void self.told.push([conversation, event]),
      sayIf: async (conversation, event, may) => {
        if (await may()) self.told.push([conversation, event]);
      },
    },
    origins: { allows: (origin) => origin === '' || origin === 'https://app.example.com' },
    maxFileBytes: 1_000,
    maxChunkBytes: 10,
  });
  return self;
}

const base64 = (text: string | Buffer) => Buffer.from(text as string).toString('base64');
const parts = ({ uploads }: ReturnType<typeof rig>) =>
  uploads.asked.flatMap((request) => (request.op === 'chunk' ? [request.position] : []));

describe('a tus server', () => {
  it('says what it can', async () => {
    const { status, headers } = await rig().ask('OPTIONS', PATH, { headers: { 'tus-resumable': '' } });
    expect(status).toBe(204);
    expect(headers).toMatchObject({
      'tus-resumable': '1.0.0',
      'tus-version': '1.0.0',
      'tus-extension': 'creation,expiration,checksum,termination',
      'tus-max-size': '1000',
      'tus-checksum-algorithm': 'sha256,sha1',
    });
  });

  it('refuses other versions of tus, and says which one it speaks', async () => {
    const one = rig();
    for (const [method, path] of [
      ['POST', PATH],
      ['HEAD', `${PATH}/x`],
      ['PATCH', `${PATH}/x`],
      ['DELETE', `${PATH}/x`],
    ] as const)
      for (const version of ['', '0.2.2', '2.0.0']) {
        const answer = await one.ask(method, path, { headers: { 'tus-resumable': version } });
        expect([method, answer.status]).toEqual([method, 412]);
        expect(answer.headers).toMatchObject({ 'tus-version': '1.0.0', 'tus-resumable': '1.0.0' });
      }
    expect(one.uploads.asked).toEqual([]);
  });

  it('wants a good token, and says so in answers of tus', async () => {
    const one = rig();
    const answer = await one.ask('POST', PATH, { token: 'bad', headers: { 'upload-length': '3' } });
    expect(answer).toMatchObject({ status: 401, headers: { 'tus-resumable': '1.0.0' } });
    expect(codeOf(answer)).toBe('INVALID_TOKEN');
  });

  it('knows no other user’s upload', async () => {
    const one = rig();
    const { headers } = await one.create(3);
    for (const method of ['HEAD', 'DELETE'] as const)
      expect((await one.ask(method, headers.location ?? '', { token: 'bob' })).status).toBe(404);
    expect((await one.ask('HEAD', `${PATH}/nonsense`)).status).toBe(404);
  });

  it('answers with its own headers when nobody serves uploads', async () => {
    const one = rig();
    one.uploads.answer = () => {
      throw new BusError('UNAVAILABLE', 'nobody');
    };
    const answer = await one.create(3);
    expect(answer).toMatchObject({ status: 503, headers: { 'tus-resumable': '1.0.0' } });
  });

  it('lets pages of allowed Origins in, and no others', async () => {
    const one = rig();
    const from = (origin: string) => ({ headers: { origin, 'upload-length': '3' } });
    const ours = await one.ask('POST', PATH, from('https://app.example.com'));
    expect(ours.headers['access-control-allow-origin']).toBe('https://app.example.com');
    expect(ours.headers['access-control-expose-headers']).toContain('Upload-Offset');
    const preflight = await one.ask('OPTIONS', `${PATH}/x`, from('https://app.example.com'));
    expect(preflight.headers['access-control-allow-methods']).toBe('HEAD, PATCH, DELETE, POST');
    expect(preflight.headers['access-control-allow-headers']).toContain('Upload-Offset');
    for (const path of [PATH, `${PATH}/x`]) {
      const foreign = await one.ask('OPTIONS', path, from('https://evil.example.com'));
      expect(foreign.headers).not.toHaveProperty('access-control-allow-origin');
      expect(foreign.headers.vary).toBe('Origin');
    }
  });
});

describe('creating an upload', () => {
  it('gives it an address, and says when it expires', async () => {
    const one = rig();
    const answer = await one.create(3, { filename: 'Gerät.txt', filetype: 'text/plain' });
    expect(answer).toMatchObject({
      status: 201,
      headers: { 'upload-expires': 'Fri, 02 Jan 2026 00:00:00 GMT', 'tus-resumable': '1.0.0' },
    });
    expect(answer.headers.location).toMatch(/^\/api\/v1\/uploads\/[0-9a-f-]{36}$/);
    expect(one.uploads.asked).toEqual([
      {
        ...{ op: 'init', sub: 'alice', name: 'Name of alice', mode: 'sequential' },
        ...{ fileName: 'Gerät.txt', size: 3, declaredType: 'text/plain', conversation: null },
      },
    ]);
  });

  it('may be for a room they are in, or a conversation of their own', async () => {
    const one = rig();
    await one.create(3, { filename: 'a.txt', room_id: 'room-1' });
    await one.create(3, { filename: 'a.txt', conversation_id: 'notes' });
    expect(one.uploads.asked).toMatchObject([
      { conversation: '=room-1=life' },
      { conversation: 'alice=notes' },
    ]);
    expect(one.told.map(([conversation]) => conversation)).toEqual(['=room-1=life', 'alice=notes']);
    one.rooms = async () => ({ ok: false, code: 'ROOM_DENIED' });
    const denied = await one.create(3, { filename: 'a.txt', room_id: 'secret' });
    expect([denied.status, codeOf(denied), one.uploads.asked.length]).toEqual([403, 'ROOM_DENIED', 2]);
  });

  it.each([
    ['no length', {}, 400],
    ['a broken length', { 'upload-length': '3.5' }, 400],
    ['a negative length', { 'upload-length': '-1' }, 400],
    ['a length to be told later', { 'upload-defer-length': '1' }, 400],
    ['more than the largest file', { 'upload-length': '1001' }, 413],
    ['more than any disk has', { 'upload-length': String(Number.MAX_SAFE_INTEGER) }, 413],
    ['metadata that is no base64', { 'upload-length': '3', 'upload-metadata': 'filename a b' }, 400],
    ['metadata with a key twice', { 'upload-length': '3', 'upload-metadata': 'a YQ==,a YQ==' }, 400],
    ['metadata that is no UTF-8', { 'upload-length': '3', 'upload-metadata': 'a /w==' }, 400],
    [
      'a room that can be none',
      { 'upload-length': '3', 'upload-metadata': `room_id ${base64('x'.repeat(129))}` },
      400,
    ],
  ])('is refused with %s', async (_name, headers, status) => {
    const one = rig();
    expect((await one.ask('POST', PATH, { headers })).status).toBe(status);
    expect(one.uploads.asked).toEqual([]);
  });

  it('counts against the rate of its user', async () => {
    const one = rig();
    one.retryAfter = 7;
    expect(await one.create(3)).toMatchObject({ status: 429, headers: { 'retry-after': '7' } });
  });

  it('is refused as the uploads service says', async () => {
    const one = rig();
    one.uploads.answer = () => FakeUploads.refuse('QUOTA_EXCEEDED');
    const answer = await one.create(3);
    expect([answer.status, codeOf(answer)]).toEqual([413, 'QUOTA_EXCEEDED']);
  });
});

describe('sending an upload', () => {
  async function begun(size: number, metadata?: Record<string, string>) {
    const one = rig();
    const { headers } = await one.create(size, metadata);
    return { ...one, one, path: headers.location ?? '' };
  }

  it('stores parts of at most MAX_CHUNK_SIZE, wherever its pieces are cut, and ends with the file', async () => {
    const { one, path } = await begun(25);
    const first = await one.patch(path, 0, ['abc', 'defghijklm', 'n', '']);
    expect(first).toMatchObject({ status: 204, headers: { 'upload-offset': '14' } });
    expect(await one.ask('HEAD', path)).toMatchObject({
      status: 200,
      headers: { 'upload-offset': '14', 'upload-length': '25', 'cache-control': 'no-store' },
    });
    const last = await one.patch(path, 14, ['opqrstuvwxy']);
    expect(last).toMatchObject({
      status: 204,
      headers: {
        ...{ 'upload-offset': '25', 'x-natter-file-state': 'ready', 'tus-resumable': '1.0.0' },
        'x-natter-file-id': path.slice(PATH.length + 1),
      },
    });
    expect(parts(one)).toEqual([{ offset: 0 }, { offset: 10 }, { offset: 14 }, { offset: 24 }]);
    const [stored] = one.uploads.files.values();
    expect(stored?.bytes.toString()).toBe('abcdefghijklmnopqrstuvwxy');
  });

  it('keeps what came before the client went away, also where a part is not full', async () => {
    const { one, path } = await begun(25);
    // A body that breaks off ends like any other; only its length says what is missing.
    await one.patch(path, 0, ['abcdefghijkl']);
    expect((await one.ask('HEAD', path)).headers['upload-offset']).toBe('12');
  });

  it('elsewhere than where it stands is a conflict', async () => {
    const { one, path } = await begun(25);
    const answer = await one.patch(path, 3, ['abc']);
    expect([answer.status, codeOf(answer)]).toEqual([409, 'UPLOAD_OFFSET_CONFLICT']);
    expect(parts(one)).toEqual([]);
  });

  it('again, after the answer to its end was lost, gets that answer', async () => {
    const { one, path } = await begun(3);
    await one.patch(path, 0, ['abc']);
    expect(await one.patch(path, 3, [])).toMatchObject({ status: 204, headers: { 'upload-offset': '3' } });
    expect(await one.ask('HEAD', path)).toMatchObject({
      status: 200,
      headers: { 'upload-offset': '3', 'upload-length': '3', 'x-natter-file-state': 'ready' },
    });
  });

  it('that has all its bytes and was not finished is finished by who asks for it', async () => {
    const { one, path } = await begun(3);
    one.uploads.answer = (request) => {
      if (request.op === 'finalize') throw new BusError('UNAVAILABLE', 'nobody');
      return null;
    };
    expect((await one.patch(path, 0, ['abc'])).status).toBe(503);
    expect((await one.ask('HEAD', path)).status).toBe(503);
    one.uploads.answer = () => null;
    expect(await one.ask('HEAD', path)).toMatchObject({ status: 200, headers: { 'upload-offset': '3' } });
    expect(one.uploads.files.size).toBe(1);
  });

  it('ends with the refusal of the file', async () => {
    const { one, path } = await begun(3, { filename: 'a.txt', room_id: 'room-1' });
    one.uploads.answer = ({ op }) => (op === 'finalize' ? FakeUploads.refuse('FILE_INFECTED') : null);
    const answer = await one.patch(path, 0, ['abc']);
    expect([answer.status, codeOf(answer)]).toEqual([422, 'FILE_INFECTED']);
    expect(one.told.map(([, { status, received }]) => [status, received])).toEqual([
      ['receiving', 0],
      ['receiving', 3],
      ['refused', 3],
    ]);
  });

  it('to a room that the user is no longer in shows nothing there', async () => {
    const { one, path } = await begun(3, { filename: 'a.txt', room_id: 'room-1' });
    one.rooms = async () => ({ ok: true, rooms: [] });
    expect((await one.patch(path, 0, ['abc'])).status).toBe(403);
    // As it began, before they were thrown out.
    expect(one.told.map(([, { received }]) => received)).toEqual([0]);
    expect(one.uploads.asked.some(({ op }) => op === 'finalize')).toBe(false);
  });

  it('is one of few bodies of its user that are read at once', async () => {
    const { one, path } = await begun(3);
    const stored = Promise.withResolvers<never>();
    const { put } = one.uploads;
    let storing = 0;
    one.uploads.put = () => {
      storing += 1;
      return stored.promise;
    };
    const slow = [1, 2].map(() => one.patch(path, 0, ['abc']));
    await expect.poll(() => storing).toBe(2);
    const refused = await one.patch(path, 0, ['abc']);
    expect([refused.status, codeOf(refused)]).toEqual([503, 'TOO_MANY_CONNECTIONS']);
    expect(refused.headers).toMatchObject({ 'retry-after': '1', 'tus-resumable': '1.0.0' });
    stored.reject(new BusError('UNAVAILABLE', 'nobody'));
    expect((await Promise.all(slow)).map(({ status }) => status)).toEqual([503, 503]);
    one.uploads.put = put;
    expect((await one.patch(path, 0, ['abc'])).status).toBe(204);
  });

  it('stops at the first part that is refused', async () => {
    const { one, path } = await begun(25);
    one.uploads.answer = ({ op }) => (op === 'chunk' ? FakeUploads.refuse('QUOTA_EXCEEDED') : null);
    const answer = await one.patch(path, 0, ['abcdefghij', 'abcdefghij', 'abcde']);
    expect(answer.status).toBe(413);
    expect(parts(one)).toHaveLength(1);
  });

  it('with more bytes than were announced is refused', async () => {
    const { one, path } = await begun(12);
    const answer = await one.patch(path, 0, ['abcdefghijklmnop']);
    expect([answer.status, codeOf(answer)]).toEqual([422, 'FILE_SIZE_MISMATCH']);
  });

  it('above the largest file ends with 413, in an answer of tus', async () => {
    const { one, path } = await begun(12);
    const pieces = {
      [Symbol.iterator]: function* () {
        yield 'abc';
        throw new BodyTooLarge();
      },
    } as unknown as string[];
    const answer = await one.patch(path, 0, pieces);
    expect(answer).toMatchObject({ status: 413, headers: { 'tus-resumable': '1.0.0' } });
  });

  it('needs its content type and offset', async () => {
    const { one, path } = await begun(3);
    const [type, offset] = [{ 'content-type': 'text/plain' }, { 'upload-offset': '' }];
    expect((await one.patch(path, 0, ['abc'], type)).status).toBe(415);
    expect((await one.patch(path, 0, ['abc'], offset)).status).toBe(400);
  });

  it('has a rate of its own', async () => {
    const { one, path } = await begun(3);
    one.patchRetryAfter = 5;
    const answer = await one.patch(path, 0, ['abc']);
    expect(answer).toMatchObject({ status: 429, headers: { 'retry-after': '5' } });
  });

  it('may call a PATCH a POST', async () => {
    const { one, path } = await begun(3);
    const headers = {
      'content-type': 'application/offset+octet-stream',
      'upload-offset': '0',
      'x-http-method-override': 'PATCH',
    };
    expect((await one.ask('POST', path, { headers, pieces: ['abc'] })).status).toBe(204);
    expect((await one.ask('POST', path)).status).toBe(405);
  });

  describe('with a checksum', () => {
    const checksum = (algorithm: string, text: string) => ({
      'upload-checksum': `${algorithm} ${createHash(algorithm).update(text).digest('base64')}`,
    });

    it.each(['sha256', 'sha1'])('of %s stores what it is the checksum of', async (algorithm) => {
      const { one, path } = await begun(12);
      const answer = await one.patch(path, 0, ['abcdef', 'ghijkl'], checksum(algorithm, 'abcdefghijkl'));
      expect(answer).toMatchObject({ status: 204, headers: { 'upload-offset': '12' } });
    });

    it('stores nothing of anything else, also not of a body that broke off', async () => {
      const { one, path } = await begun(12);
      const answer = await one.patch(path, 0, ['abcdef'], checksum('sha256', 'abcdefghijkl'));
      expect([answer.status, codeOf(answer)]).toEqual([460, 'CHECKSUM_MISMATCH']);
      expect(parts(one)).toEqual([]);
    });

    it('of another algorithm or shape is refused', async () => {
      const { one, path } = await begun(3);
      for (const text of ['md5 kAFQmDzST7DWlj99KOF/cg==', 'sha256', 'sha256 !', 'sha1 YQ== b'])
        expect((await one.patch(path, 0, ['abc'], { 'upload-checksum': text })).status).toBe(400);
      expect((await one.patch(path, 0, ['abc'], { 'upload-checksum': 'sha1 YQ==' })).status).toBe(460);
    });

    it('holds 8 MiB at most', async () => {
      const { one, path } = await begun(3);
      const pieces = Array.from({ length: 9 }, () => Buffer.alloc(1_048_576));
      expect((await one.patch(path, 0, pieces, checksum('sha1', 'abc'))).status).toBe(413);
    });
  });
});

describe('an upload of tus', () => {
  it('can be cancelled', async () => {
    const one = rig();
    const { headers } = await one.create(3);
    expect((await one.ask('DELETE', headers.location ?? '')).status).toBe(204);
    expect((await one.ask('HEAD', headers.location ?? '')).status).toBe(404);
    expect((await one.ask('DELETE', headers.location ?? '')).status).toBe(404);
  });

  it('tells those who watch that it was cancelled, once', async () => {
    const one = rig();
    const { headers } = await one.create(3, { filename: 'notes.txt', room_id: 'room-1' });
    const watched = one.told.at(-1)?.[0];
    one.told.length = 0;
    for (const _ of [1, 2]) await one.ask('DELETE', headers.location ?? '');
    const event = { file: headers['x-natter-file-id'], status: 'cancelled', sub: 'alice' };
    expect(one.told).toEqual([[watched, expect.objectContaining(event)]]);
  });

  it('is none that a WebSocket began', async () => {
    const one = rig();
    const answer = await one.uploads.ask({
      ...{ op: 'init', sub: 'alice', name: null, mode: 'indexed' },
      ...{ fileName: 'a.txt', size: 3, declaredType: null, conversation: null },
    });
    const id = answer.ok ? answer.progress?.id : '';
    expect((await one.ask('HEAD', `${PATH}/${id}`)).status).toBe(404);
  });

  it('answers HEAD without a body, whatever it says', async () => {
    const one = rig();
    expect((await one.ask('HEAD', `${PATH}/x`)).body).toHaveLength(0);
    const wrong = await one.ask('HEAD', `${PATH}/x`, { headers: { 'tus-resumable': '2' } });
    expect(wrong.body).toHaveLength(0);
  });
});
