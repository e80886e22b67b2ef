import type { UploadProgress, UploadsReply } from '@natter/proto';
import { BusError } from '@natter/runtime';
import { describe, expect, it } from 'vitest';
import {
  errors,
  notices,
  openRooms,
  principal,
  type Rig,
  rig,
  settle,
  signedIn,
  type UploadsAsked,
} from './rig.ts';

const FILE = '6f1c0000-0000-4000-8000-000000000001';
const OTHER = '6f1c0000-0000-4000-8000-000000000002';
const SHA = 'a'.repeat(64);
const MIB = 1_048_576;

const UPLOADS = { manner: { uploads: true } };

function progressOf(request: UploadsAsked, more: Partial<UploadProgress> = {}): UploadProgress {
  return {
    id: 'id' in request ? request.id : FILE,
    name: 'report.txt',
    conversation: '=room-1=life',
    size: 100,
    mode: 'indexed',
    received: [],
    totalChunks: null,
    offset: 0,
    expiresAt: 1,
    ...more,
  };
}

/** Takes everything, into a room. */
const taken =
  (more: Partial<UploadProgress> = {}) =>
  async (request: UploadsAsked): Promise<UploadsReply> =>
    request.op === 'finalize'
      ? { ok: true, file: fileOf() }
      : request.op === 'cancel'
        ? { ok: true }
        : { ok: true, progress: progressOf(request, more) };

function fileOf(state: 'ready' | 'quarantined' = 'ready') {
  return {
    id: FILE,
    owner: 'alice',
    ownerName: null,
    conversation: '=room-1=life',
    name: 'report.txt',
    size: 100,
    sha256: SHA,
    type: 'text/plain',
    inline: false,
    state,
    createdAt: 1,
  };
}

const init = (more: object = {}) => ({
  type: 'upload',
  step: 'init',
  fileName: 'report.txt',
  size: 100,
  declaredType: null,
  room: null,
  conversation: null,
  messageId: 'req-1',
  ...more,
});
const chunk = (index: number, data = 'bytes', file = FILE) => ({
  ...{ type: 'upload', step: 'chunk' },
  ...{ file, index, total: 4, data },
});
const finalize = (sha256: string | null = SHA) => ({ type: 'upload', step: 'finalize', file: FILE, sha256 });
const about = (step: 'status' | 'cancel', file = FILE) => ({ type: 'upload', step, file });

const ops = (one: Rig) => one.uploadsAsked.map(({ request }) => request.op);

describe('an upload', () => {
  it('[files/init] begins in the room it names, which the auth service is asked about', async () => {
    const one = await signedIn(UPLOADS);
    one.uploads = taken();
    one.say(init({ room: 'room-1' }));
    await settle();
    expect(one.asked.at(-1)).toMatchObject({ op: 'get', id: 'room-1', who: { sub: 'alice' } });
    expect(one.uploadsAsked[0]?.request).toEqual({
      ...{ op: 'init', sub: 'alice', name: null, mode: 'indexed' },
      ...{ fileName: 'report.txt', size: 100, declaredType: null, conversation: '=room-1=life' },
    });
    expect(notices(one)).toMatchObject([
      { type: 'upload', step: 'init', messageId: 'req-1', place: { room: 'room-1' }, progress: { id: FILE } },
    ]);
  });

  it('begins in the room of the connection, in a conversation by its name, or in the connection’s own', async () => {
    const one = await signedIn({ ...UPLOADS, opening: { room: { id: 'here', type: null, name: null } } });
    one.say(init());
    await settle();
    one.say(init({ conversation: 'notes' }));
    const own = await signedIn(UPLOADS);
    own.say(init());
    own.ask('hello');
    await settle();
    const conversations = [...one.uploadsAsked, ...own.uploadsAsked].map(
      ({ request }) => 'conversation' in request && request.conversation,
    );
    expect(conversations).toEqual(['=here=life', 'alice=notes', own.stored[0]?.conversation]);
  });

  it('is refused in a room that the user may not be in, before the uploads service hears of it', async () => {
    const one = await signedIn(UPLOADS);
    one.rooms = async () => ({ ok: false, code: 'ROOM_DENIED' });
    one.say(init({ room: 'secret' }));
    await settle();
    expect(one.sent.at(-1)).toEqual({ error: 'ROOM_DENIED', messageId: 'req-1' });
    expect(one.uploadsAsked).toEqual([]);
  });

  it('counts against the rate of its user over all gateways as it begins', async () => {
    const one = await signedIn(UPLOADS);
    one.retryAfter.user = 7;
    one.say(init());
    await settle();
    expect(one.sent.at(-1)).toEqual({ error: 'RATE_LIMIT', retryAfter: 7, messageId: 'req-1' });
    expect(one.uploadsAsked).toEqual([]);
  });

  it('waits for the room that is being joined, and for no question', async () => {
    const one = await signedIn(UPLOADS);
    const joined = Promise.withResolvers<void>();
    one.rooms = async (request) => {
      if (request.op === 'join') await joined.promise;
      return openRooms()(request);
    };
    one.say({ type: 'join', room: 'room-1', roomType: null, name: null, ai: null });
    one.say(init({ room: 'room-1' }));
    await settle();
    expect(one.uploadsAsked).toEqual([]);
    joined.resolve();
    await settle();
    expect(ops(one)).toEqual(['init']);

    one.storeResult = () => new Promise(() => undefined);
    one.ask('a question that is never stored');
    one.say(init({ conversation: 'notes' }));
    one.say(chunk(0));
    await settle();
    expect(ops(one).sort()).toEqual(['chunk', 'init', 'init']);
  });

  it('does not delay a question', async () => {
    const one = await signedIn(UPLOADS);
    one.uploads = () => new Promise(() => undefined);
    one.say(init());
    one.say(finalize());
    one.ask('hello');
    await settle();
    expect(one.stored).toHaveLength(1);
  });

  it('that is asked for before the user is known begins when they are; parts must come again', async () => {
    const one = rig({ ...UPLOADS, opening: { credential: { token: 'alice', use: 'websocket' } } });
    one.session.open();
    one.say(chunk(3));
    one.say(init());
    one.say(about('status'));
    await settle();
    expect(one.sent[0]).toEqual({ error: 'UPLOAD_BUSY', retryAfter: 1, file: FILE, chunk: 3 });
    expect(ops(one)).toEqual(['init', 'status']);
  });

  it('needs somebody who uploads', async () => {
    const one = rig(UPLOADS);
    one.session.open();
    await settle();
    one.say(chunk(3));
    one.say(init());
    await settle();
    expect(errors(one)).toEqual(['AUTH_REQUIRED', 'AUTH_REQUIRED']);
    expect(one.uploadsAsked).toEqual([]);
  });

  it('that names no file that could be is not found', async () => {
    const one = await signedIn(UPLOADS);
    one.say(about('status', '../../etc/passwd'));
    expect(one.sent.at(-1)).toEqual({ error: 'UPLOAD_NOT_FOUND', file: '../../etc/passwd' });
  });
});

describe('parts of an upload', () => {
  it('[files/chunk] are told of one by one, with what has arrived', async () => {
    const one = await signedIn(UPLOADS);
    one.uploads = taken({ received: [0], offset: 5 });
    one.say(chunk(0));
    await settle();
    expect(one.uploadsAsked).toEqual([
      {
        request: { op: 'chunk', sub: 'alice', id: FILE, position: { index: 0, total: 4 } },
        part: 'bytes',
      },
    ]);
    expect(notices(one)).toMatchObject([{ step: 'chunk', index: 0, progress: { offset: 5 } }]);
  });

  it('have at most the bytes of MAX_CHUNK_SIZE', async () => {
    const one = await signedIn({ ...UPLOADS, limits: { maxChunkBytes: 5 } });
    one.say(chunk(0, '12345'));
    one.say(chunk(1, '123456'));
    expect(one.sent.at(-1)).toEqual({ error: 'CHUNK_TOO_LARGE', file: FILE, chunk: 1 });
    expect(one.uploadsAsked).toHaveLength(1);
  });

  it('above 8 MiB under way are refused, until those before them are stored', async () => {
    const one = await signedIn(UPLOADS);
    const stored = Promise.withResolvers<void>();
    one.uploads = async (request) => {
      await stored.promise;
      return taken()(request);
    };
    for (let index = 0; index < 9; index += 1) one.say(chunk(index, 'x'.repeat(MIB)));
    expect(one.sent.at(-1)).toEqual({ error: 'UPLOAD_BUSY', retryAfter: 1, file: FILE, chunk: 8 });
    expect(one.uploadsAsked).toHaveLength(8);
    stored.resolve();
    await settle();
    one.say(chunk(8, 'x'.repeat(MIB)));
    await settle();
    expect(notices(one)).toHaveLength(9);
  });

  it('and commands above 64 under way are refused, however small', async () => {
    const one = await signedIn(UPLOADS);
    one.uploads = () => new Promise(() => undefined);
    for (let index = 0; index < 65; index += 1) one.say(chunk(index, 'x'));
    expect(errors(one)).toEqual(['UPLOAD_BUSY']);
  });

  it('that are refused name file and part', async () => {
    const one = await signedIn(UPLOADS);
    one.uploads = async () => ({ ok: false, code: 'CHUNK_INVALID', detail: 'total_chunks' });
    one.say(chunk(2));
    await settle();
    expect(one.sent.at(-1)).toEqual({ error: 'CHUNK_INVALID', file: FILE, chunk: 2 });
  });

  it('that nobody can store now are UNAVAILABLE, and a mistake is INTERNAL', async () => {
    const one = await signedIn(UPLOADS);
    one.uploads = async () => {
      throw new BusError('UNAVAILABLE', 'nobody serves uploads');
    };
    one.say(chunk(2));
    await settle();
    one.uploads = async () => ({ ok: true });
    one.say(chunk(2));
    await settle();
    expect(errors(one)).toEqual(['UNAVAILABLE', 'INTERNAL']);
  });

  it('are no news for whoever is signed in since', async () => {
    const one = await signedIn(UPLOADS);
    const stored = Promise.withResolvers<void>();
    one.verdicts.bob = principal('bob', Math.floor(one.clock.now() / 1_000) + 60);
    one.uploads = async (request) => {
      await stored.promise;
      return taken()(request);
    };
    one.say(chunk(0));
    one.say({ type: 'authenticate', token: 'bob' });
    await settle();
    stored.resolve();
    await settle();
    expect(notices(one)).toEqual([]);
  });
});

describe('a finalize', () => {
  it('[files/finalize] waits for the parts of its own file that are on their way here', async () => {
    const one = await signedIn(UPLOADS);
    const stored = Promise.withResolvers<void>();
    one.uploads = async (request) => {
      if (request.op === 'chunk' && request.id === FILE) await stored.promise;
      return taken()(request);
    };
    one.say(chunk(0));
    one.say(finalize());
    await settle();
    expect(ops(one)).toEqual(['chunk']);
    stored.resolve();
    await settle();
    expect(ops(one)).toEqual(['chunk', 'finalize']);
    expect(notices(one).at(-1)).toMatchObject({ type: 'uploaded', file: { id: FILE, state: 'ready' } });
  });

  it('does not wait for parts of other files', async () => {
    const one = await signedIn(UPLOADS);
    one.uploads = async (request) =>
      request.op === 'chunk' ? new Promise(() => undefined) : taken()(request);
    one.say(chunk(0, 'bytes', OTHER));
    one.say(finalize());
    await settle();
    expect(ops(one)).toContain('finalize');
  });

  it('without a checksum is refused', async () => {
    const one = await signedIn(UPLOADS);
    one.say(finalize(null));
    await settle();
    expect(one.sent.at(-1)).toEqual({ error: 'CHECKSUM_INVALID', file: FILE });
    expect(one.uploadsAsked).toEqual([]);
  });

  it('names the parts that are missing', async () => {
    const one = await signedIn(UPLOADS);
    one.uploads = async (request) =>
      request.op === 'finalize'
        ? { ok: false, code: 'UPLOAD_INCOMPLETE', missing: [1, 3] }
        : taken()(request);
    one.say(finalize());
    await settle();
    expect(one.sent.at(-1)).toEqual({ error: 'UPLOAD_INCOMPLETE', file: FILE, missing: [1, 3] });
    expect(one.progress).toEqual([]);
  });

  it('is refused to whoever is no longer in the room', async () => {
    const one = await signedIn(UPLOADS);
    one.uploads = taken();
    one.say(chunk(0));
    await settle();
    one.rooms = async () => ({ ok: true, rooms: [] });
    one.say(finalize());
    await settle();
    expect(one.sent.at(-1)).toEqual({ error: 'ROOM_DENIED', file: FILE });
    expect(ops(one)).not.toContain('finalize');
  });

  it('is not refused because nobody can tell who is in the room', async () => {
    const one = await signedIn(UPLOADS);
    one.uploads = taken();
    one.rooms = async () => ({ ok: false, code: 'UNAVAILABLE' });
    one.say(finalize());
    await settle();
    expect(errors(one)).toEqual(['UNAVAILABLE']);
  });
});

describe('status and cancel of an upload', () => {
  it('tell what has arrived, and then that it is over', async () => {
    const one = await signedIn(UPLOADS);
    one.uploads = taken({ received: [0, 2] });
    one.say(about('status'));
    await settle();
    one.say(about('cancel'));
    await settle();
    expect(ops(one)).toEqual(['status', 'cancel']);
    expect(notices(one)).toMatchObject([
      { step: 'status', progress: { received: [0, 2] }, place: { room: 'room-1' } },
      { step: 'cancel', progress: { id: FILE } },
    ]);
  });

  it('show the file where it is finished', async () => {
    const one = await signedIn(UPLOADS);
    one.uploads = async () => ({ ok: true, file: fileOf() });
    one.say(about('status'));
    await settle();
    expect(notices(one)).toMatchObject([{ type: 'uploaded', file: { id: FILE } }]);
  });

  it('may be asked by whoever has left the room, to cancel', async () => {
    const one = await signedIn(UPLOADS);
    one.uploads = taken();
    one.rooms = async () => ({ ok: true, rooms: [] });
    one.say(about('status'));
    await settle();
    expect(one.sent.at(-1)).toEqual({ error: 'ROOM_DENIED', file: FILE });
    one.say(about('cancel', OTHER));
    await settle();
    expect(notices(one)).toMatchObject([{ step: 'cancel', progress: { id: OTHER } }]);
  });
});

describe('those who watch', () => {
  it('are told how far it is and how it ends, and by which connection', async () => {
    const one = await signedIn(UPLOADS);
    one.uploads = async (request) =>
      request.op === 'finalize' ? { ok: false, code: 'FILE_INFECTED' } : taken({ offset: 5 })(request);
    one.say(chunk(0));
    await settle();
    one.say(finalize());
    await settle();
    const told = { type: 'file.progress', file: FILE, name: 'report.txt', size: 100, received: 5 };
    const who = { sub: 'alice', subName: null, connection: one.session.id };
    expect(one.progress).toEqual([
      { key: '=room-1=life', event: { ...told, ...who, status: 'receiving' } },
      { key: '=room-1=life', event: { ...told, ...who, status: 'refused' } },
    ]);
  });

  it('see nothing of the parts of somebody who was thrown out of the room', async () => {
    const one = await signedIn(UPLOADS);
    one.uploads = taken({ offset: 5 });
    one.say(init({ room: 'room-1' }));
    await settle();
    one.rooms = async () => ({ ok: true, rooms: [] });
    one.say(chunk(0));
    await settle();
    one.rooms = () => Promise.reject(new BusError('UNAVAILABLE', 'nobody can tell'));
    one.say(chunk(1));
    await settle();
    expect(one.progress).toHaveLength(1);
    expect(notices(one)).toMatchObject([{ step: 'init' }, { step: 'chunk' }, { step: 'chunk' }]);
  });

  it('hear nothing of a file that is in no conversation', async () => {
    const one = await signedIn(UPLOADS);
    one.uploads = taken({ conversation: null });
    one.say(chunk(0));
    await settle();
    expect(one.progress).toEqual([]);
    expect(notices(one)).toMatchObject([{ place: null }]);
  });
});

describe('frames that carry parts', () => {
  const limits = { rateLimitRequests: 3, uploadFramesPerWindow: 5 };

  it('use up a limit of their own', async () => {
    const one = await signedIn({ ...UPLOADS, limits });
    for (let index = 0; index < 6; index += 1) one.say(chunk(index, 'x'.repeat(9_000)));
    expect(one.sent.at(-1)).toMatchObject({ error: 'RATE_LIMIT', retryAfter: 60 });
    expect(one.uploadsAsked).toHaveLength(5);
    one.ask('hello');
    await settle();
    expect(one.stored).toHaveLength(1);
  });

  it('count as others do while nobody is signed in', async () => {
    const one = rig({ ...UPLOADS, limits });
    for (let index = 0; index < 4; index += 1) one.say(chunk(index, 'x'.repeat(9_000)));
    expect(errors(one)).toEqual(['AUTH_REQUIRED', 'AUTH_REQUIRED', 'AUTH_REQUIRED', 'RATE_LIMIT']);
  });

  it('count as others do when they turn out to carry none', async () => {
    const one = await signedIn({ ...UPLOADS, limits });
    for (let index = 0; index < 4; index += 1) one.ask('x'.repeat(9_000));
    await settle();
    expect(errors(one)).toEqual(['RATE_LIMIT']);
    expect(one.stored).toHaveLength(3);
  });

  it('may be larger than others, which close the connection', async () => {
    const one = await signedIn({ ...UPLOADS, limits: { maxFrameBytes: 20_000 } });
    one.say(chunk(0, 'x'.repeat(30_000)));
    one.session.receive(
      Buffer.from(JSON.stringify({ ok: false, code: 'CHUNK_INVALID', file: FILE, x: 'x'.repeat(30_000) })),
      false,
    );
    expect(one.closed).toBeNull();
    one.ask('x'.repeat(20_000));
    expect(one.closed?.code).toBe(1009);
  });

  it('that go on after 200 refusals in a row close the connection', async () => {
    const one = await signedIn({ ...UPLOADS, limits: { uploadFramesPerWindow: 1 } });
    for (let index = 0; index < 202; index += 1) one.say(chunk(index, 'x'.repeat(9_000)));
    expect(one.closed).not.toBeNull();
  });

  it('are frames like others on a wire that takes no uploads', async () => {
    const one = await signedIn({ limits });
    for (let index = 0; index < 4; index += 1) one.ask('x'.repeat(9_000));
    await settle();
    expect(errors(one)).toEqual(['RATE_LIMIT']);
  });
});
