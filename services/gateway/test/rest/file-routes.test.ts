import type { RoomsReply, RoomsRequest } from '@natter/proto';
import { BusError } from '@natter/runtime';
import { describe, expect, it } from 'vitest';
import { fileRoutes } from '../../src/rest/file-routes.ts';
import { Transfers } from '../../src/rest/transfers.ts';
import { openRooms } from '../session/rig.ts';
import { askRaw, codeOf, type RawAsk } from './ask-raw.ts';
import { signIn } from './asked.ts';
import { FakeUploads } from './fake-uploads.ts';

const PATH = '/api/v1/files';

function rig() {
  const uploads = new FakeUploads();
  const self = {
    uploads,
    asked: [] as RoomsRequest[],
    rooms: openRooms() as (request: RoomsRequest) => Promise<RoomsReply>,
    ask: (method: 'GET' | 'DELETE' | 'OPTIONS', path: string, asked: RawAsk = {}) =>
      askRaw(routes, method, path, { token: 'alice', ...asked }),
    get: (id: string, headers: Record<string, string> = {}, token = 'alice') =>
      self.ask('GET', `${PATH}/${id}`, { headers, token }),
  };
  const routes = fileRoutes({
    ...signIn(),
    uploads,
    rooms: {
      ask: (request) => {
        self.asked.push(request);
        return self.rooms(request);
      },
    },
    origins: { allows: (origin) => origin === '' || origin === 'https://app.example.com' },
    downloads: new Transfers(2),
  });
  return self;
}

describe('a file', () => {
  it('comes as an attachment that no browser takes for anything else', async () => {
    const one = rig();
    const { id, sha256 } = one.uploads.add({ content: 'hello', name: 'a "b"\\ü%.html', type: 'text/html' });
    const answer = await one.get(id);
    expect([answer.status, answer.length, answer.body.toString()]).toEqual([200, 5, 'hello']);
    expect(answer.headers).toMatchObject({
      'content-type': 'text/html',
      'content-disposition': `attachment; filename="a _b____.html"; filename*=UTF-8''a%20%22b%22%5C%C3%BC%25.html`,
      'content-security-policy': "sandbox; default-src 'none'",
      'cache-control': 'private, no-cache',
      'accept-ranges': 'bytes',
      etag: `"${sha256}"`,
    });
  });

  it('may be shown in place where its record says so', async () => {
    const one = rig();
    const { id } = one.uploads.add({ content: 'png', name: 'a.png', type: 'image/png', inline: true });
    expect((await one.get(id)).headers['content-disposition']).toMatch(/^inline; /);
  });

  it('of 3 MiB is read in pieces of 1 MiB, one ahead of what the client takes', async () => {
    const one = rig();
    const content = Buffer.alloc(3 * 1_048_576 + 1, 'x');
    const { id } = one.uploads.add({ content });
    const reads = () => one.uploads.asked.filter(({ op }) => op === 'read').length;
    const seen: number[] = [];
    let taken = 0;
    const answer = await one.ask('GET', `${PATH}/${id}`, {
      writer: {
        write: (piece) => {
          taken += piece.length;
          return false;
        },
        drained: async () => void seen.push(reads()),
      },
    });
    expect([answer.length, taken]).toEqual([content.length, content.length]);
    expect(seen).toEqual([2, 3, 4, 4]);
  });

  it('is read no further when the client has gone', async () => {
    const one = rig();
    const { id } = one.uploads.add({ content: Buffer.alloc(4 * 1_048_576) });
    const gone = new AbortController();
    await one.ask('GET', `${PATH}/${id}`, {
      writer: {
        signal: gone.signal,
        write: () => {
          gone.abort();
          return false;
        },
      },
    });
    expect(one.uploads.asked.filter(({ op }) => op === 'read')).toHaveLength(2);
  });

  it('is read by so many downloads of one user at once; others wait, and nothing is read for them', async () => {
    const one = rig();
    const { id } = one.uploads.add({ content: 'hello' });
    const slow = Promise.withResolvers<void>();
    const stalled = { write: () => false, drained: () => slow.promise };
    const downloads = [1, 2, 3].map(() => one.ask('GET', `${PATH}/${id}`, { writer: stalled }));
    const reads = () => one.uploads.asked.filter(({ op }) => op === 'read').length;
    await expect.poll(reads).toBe(2);
    expect((await one.get(id, {}, 'admin:bob')).body.toString()).toBe('hello');
    expect(reads()).toBe(3);
    slow.resolve();
    await Promise.all(downloads);
    expect(reads()).toBe(4);
  });

  it('whose bytes can not be read is UNAVAILABLE before anything is written', async () => {
    const one = rig();
    const { id } = one.uploads.add({ content: 'hello' });
    one.uploads.answer = ({ op }) => (op === 'read' ? FakeUploads.refuse('INTERNAL') : null);
    const written: unknown[] = [];
    const writer = { write: (piece: unknown) => written.push(piece) > 0 };
    const asked = one.ask('GET', `${PATH}/${id}`, { writer });
    await expect(asked).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(written).toEqual([]);
  });

  it('that can not be read to its end breaks the answer off', async () => {
    const one = rig();
    const { id } = one.uploads.add({ content: 'hello', size: 10 });
    await expect(one.get(id)).rejects.toThrow('0 bytes');
  });
});

describe('a range of a file', () => {
  it.each([
    ['bytes=0-0', '0', '0-0'],
    ['bytes=2-', '23456789', '2-9'],
    ['bytes=-3', '789', '7-9'],
    ['bytes=-99', '0123456789', '0-9'],
    ['bytes=8-99', '89', '8-9'],
    ['BYTES= 3-4', '34', '3-4'],
  ])('%s has its bytes', async (range, bytes, shown) => {
    const one = rig();
    const { id } = one.uploads.add({ content: '0123456789' });
    const answer = await one.get(id, { range });
    expect([answer.status, answer.body.toString(), answer.length]).toEqual([206, bytes, bytes.length]);
    expect(answer.headers['content-range']).toBe(`bytes ${shown}/10`);
  });

  it.each(['bytes=10-', 'bytes=10-20', 'bytes=-0', `bytes=${'9'.repeat(30)}-`])(
    '%s that names no byte is 416 with the size',
    async (range) => {
      const one = rig();
      const { id } = one.uploads.add({ content: '0123456789' });
      const answer = await one.get(id, { range });
      expect([answer.status, codeOf(answer)]).toEqual([416, 'RANGE_INVALID']);
      expect(answer.headers['content-range']).toBe('bytes */10');
    },
  );

  it.each([
    ...['bytes=0-1,3-4', 'lines=0-1'],
    ...[
      'bytes=5-4',
      'bytes=-',
      'bytes=a-b',
      'bytes',
      'bytes=',
      '0-1',
      'bytes=0x1-2',
      'bytes=1-2-3',
      'bytes=1=2',
    ],
  ])('%s is not served: the whole file is', async (range) => {
    const one = rig();
    const { id } = one.uploads.add({ content: '0123456789' });
    const answer = await one.get(id, { range });
    expect([answer.status, answer.body.toString()]).toEqual([200, '0123456789']);
    expect(answer.headers).not.toHaveProperty('content-range');
  });

  it('holds only for the content it was asked of', async () => {
    const one = rig();
    const { id, sha256 } = one.uploads.add({ content: '0123456789' });
    const range = 'bytes=0-1';
    expect((await one.get(id, { range, 'if-range': `"${sha256}"` })).status).toBe(206);
    for (const ifRange of ['"other"', `W/"${sha256}"`, 'Fri, 02 Jan 2026 00:00:00 GMT'])
      expect((await one.get(id, { range, 'if-range': ifRange })).status).toBe(200);
  });

  it('is not asked of what the client has already', async () => {
    const one = rig();
    const { id, sha256 } = one.uploads.add({ content: '0123456789' });
    for (const ifNoneMatch of [`"${sha256}"`, `"a", W/"${sha256}"`, '*']) {
      const answer = await one.get(id, { 'if-none-match': ifNoneMatch, range: 'bytes=0-1' });
      expect([answer.status, answer.body.length, answer.headers.etag]).toEqual([304, 0, `"${sha256}"`]);
    }
    expect((await one.get(id, { 'if-none-match': '"other"' })).status).toBe(200);
  });
});

describe('who may see a file', () => {
  it('is its owner and an admin; others get what they get for one that is missing', async () => {
    const one = rig();
    const { id } = one.uploads.add({ content: 'secret' });
    expect((await one.get(id)).status).toBe(200);
    expect((await one.get(id, {}, 'admin:root')).status).toBe(200);
    const answers = [
      await one.get(id, {}, 'mallory'),
      await one.get('6f1c3a2e-5b7d-4c89-9a01-00000000ffff', {}, 'mallory'),
      await one.get('nonsense', {}, 'mallory'),
      await one.ask('DELETE', `${PATH}/${id}`, { token: 'mallory' }),
    ].map((answer) => {
      const { correlation_id: _, ...body } = JSON.parse(answer.body.toString());
      return { status: answer.status, headers: answer.headers, body };
    });
    expect(answers[0]).toMatchObject({ status: 404, body: { code: 'FILE_NOT_FOUND' } });
    for (const answer of answers) expect(answer).toEqual(answers[0]);
  });

  it('is whoever may be in its room now, in this life of the room', async () => {
    const one = rig();
    const { id } = one.uploads.add({ content: 'shared', conversation: '=room-1=life' });
    expect((await one.get(id, {}, 'bob')).status).toBe(200);
    expect(one.asked).toMatchObject([{ op: 'access', keys: ['=room-1=life'], who: { sub: 'bob' } }]);
    one.rooms = async () => ({ ok: true, rooms: [] });
    expect((await one.get(id, {}, 'bob')).status).toBe(404);
  });

  it('is nobody else where it is in a conversation of its owner', async () => {
    const one = rig();
    const { id } = one.uploads.add({ content: 'own', conversation: 'alice=notes' });
    expect((await one.get(id, {}, 'bob')).status).toBe(404);
    expect(one.asked).toEqual([]);
  });

  it('is nobody while it waits for the scanner, or when it is infected', async () => {
    const one = rig();
    const waiting = one.uploads.add({ content: 'x', state: 'quarantined' });
    const bad = one.uploads.add({ content: 'x', state: 'infected' });
    const quarantined = await one.get(waiting.id);
    expect([quarantined.status, codeOf(quarantined)]).toEqual([423, 'FILE_QUARANTINED']);
    expect(quarantined.headers['retry-after']).toBe('30');
    expect(codeOf(await one.get(waiting.id, {}, 'mallory'))).toBe('FILE_NOT_FOUND');
    expect(codeOf(await one.get(bad.id, {}, 'admin:root'))).toBe('FILE_INFECTED');
    expect(one.uploads.asked.some(({ op }) => op === 'read')).toBe(false);
  });
});

describe('files', () => {
  const names = async (answer: ReturnType<ReturnType<typeof rig>['ask']>) =>
    // biome-ignore lint/suspicious/noExplicitAny: the body of any route
    JSON.parse((await answer).body.toString()).files.map((file: any) => file.file_name);

  it('are listed by room, by conversation, or those of the user', async () => {
    const one = rig();
    one.uploads.add({ content: 'a', name: 'own.txt' });
    one.uploads.add({ content: 'b', name: 'room.txt', conversation: '=room-1=life', owner: 'bob' });
    one.uploads.add({ content: 'c', name: 'noted.txt', conversation: 'alice=notes' });
    expect(await names(one.ask('GET', PATH))).toEqual(['own.txt', 'noted.txt']);
    expect(await names(one.ask('GET', `${PATH}?room_id=room-1`))).toEqual(['room.txt']);
    expect(await names(one.ask('GET', `${PATH}?conversation_id=notes`))).toEqual(['noted.txt']);
    expect(await names(one.ask('GET', `${PATH}?conversation_id=notes`, { token: 'bob' }))).toEqual([]);
  });

  it('are shown with what a client needs to get them', async () => {
    const one = rig();
    const { id, sha256 } = one.uploads.add({ content: 'hello' });
    const { files } = JSON.parse((await one.ask('GET', PATH)).body.toString());
    expect(files).toEqual([
      {
        ...{ file_id: id, file_name: 'notes.txt', file_size: 5, mime_type: 'text/plain' },
        ...{ checksum: sha256, state: 'ready', user_id: 'alice', username: 'Alice' },
        ...{ created_at: '2026-01-01T00:00:00.000Z', url: `/api/v1/files/${id}` },
      },
    ]);
  });

  it('of a room that the user may not be in are not listed', async () => {
    const one = rig();
    one.rooms = async () => ({ ok: false, code: 'ROOM_DENIED' });
    expect(codeOf(await one.ask('GET', `${PATH}?room_id=secret`))).toBe('ROOM_DENIED');
    expect(codeOf(await one.ask('GET', `${PATH}?room_id=${'x'.repeat(129)}`))).toBe('INVALID_FIELD');
    expect(one.uploads.asked).toEqual([]);
  });

  it('are deleted by their owner or an admin, and by no other member of the room', async () => {
    const one = rig();
    const ids = [1, 2].map(() => one.uploads.add({ content: 'a', conversation: '=room-1=life' }).id);
    expect((await one.ask('DELETE', `${PATH}/${ids[0]}`, { token: 'bob' })).status).toBe(404);
    expect((await one.ask('DELETE', `${PATH}/${ids[0]}`)).status).toBe(200);
    expect((await one.ask('DELETE', `${PATH}/${ids[1]}`, { token: 'admin:root' })).status).toBe(200);
    expect(one.uploads.files.size).toBe(0);
  });

  it('may be read by pages of allowed Origins', async () => {
    const one = rig();
    const { id } = one.uploads.add({ content: 'hello' });
    const headers = { origin: 'https://app.example.com' };
    const answer = await one.get(id, headers);
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': 'https://app.example.com',
      vary: 'Origin',
    });
    expect(answer.body.toString()).toBe('hello');
    const preflight = await one.ask('OPTIONS', `${PATH}/${id}`, { headers });
    expect(preflight.headers['access-control-allow-methods']).toBe('GET, HEAD, DELETE');
    const foreign = await one.get(id, { origin: 'https://evil.example.com' });
    expect(foreign.headers).not.toHaveProperty('access-control-allow-origin');
    one.uploads.answer = () => {
      throw new BusError('UNAVAILABLE', 'nobody');
    };
    const down = await one.get(id, { origin: 'https://app.example.com' });
    expect([down.status, codeOf(down)]).toEqual([503, 'UNAVAILABLE']);
    expect(down.headers).toMatchObject({ 'access-control-allow-origin': 'https://app.example.com' });
  });
});
