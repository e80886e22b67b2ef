/** Downloads over two gateways, from both stores: which bytes, for whom, and as what. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Probe, SAMPLE_FILES, type Stack, startStack } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askFile, type FileRequest } from '../src/files-http.ts';
import { HeldDownload } from '../src/held-download.ts';
import { readMetric } from '../src/metrics.ts';
import { reportFailures } from '../src/report-failures.ts';
import { openRooms } from '../src/rooms-chat.ts';
import { addMember, ban, createRoom, deleteRoom, kick } from '../src/rooms-http.ts';
import { shareFile } from '../src/share-file.ts';
import { remains } from '../src/upload-remains.ts';
import { sha256Of, uploadFile } from '../src/uploading-client.ts';

const MIB = 1_048_576;
/** More than two sockets hold. */
const LARGE_MIB = 24;
const NOWHERE = '00000000-0000-4000-8000-000000000000';
const IMAGES = ['jpg', 'jpeg', 'png', 'gif', 'bmp', 'webp'];

/** None of them gets more out of what one may not see. */
const CONDITIONS: Record<string, string>[] = [{}, { range: 'bytes=0-0' }, { 'if-none-match': '*' }];

const folder = mkdtempSync(join(tmpdir(), 'natter-downloads-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each<[string, Record<string, string>]>([
  ['in NATS', {}],
  ['in a folder', { UPLOAD_DIR: join(folder, 'files'), TEMP_DIR: join(folder, 'temp') }],
])('a file %s', (where, env) => {
  let stack: Stack;
  let alice: string;
  let probe: Probe;
  const content = Buffer.from(randomBytes(2_400_000).toString('base64'));
  let id: string;
  /** Of random bytes, stored and not packed. */
  const large = gzipSync(randomBytes(LARGE_MIB * MIB), { level: 0 });
  let largeId: string;

  beforeAll(async () => {
    stack = await startStack({ gateways: 2, uploads: 2, env: { WS_RATE_LIMIT_REQUESTS: '100000', ...env } });
    alice = await stack.token({ sub: 'alice', name: 'Alice' });
    probe = await openRooms(stack.url(0), alice);
    id = await uploaded('notes.txt', content);
    largeId = await uploaded('large.gz', large);
  });
  afterAll(async () => {
    await probe?.close();
    await stack?.stop();
  });
  reportFailures(() => stack);

  async function uploaded(name: string, bytes: Buffer): Promise<string> {
    const outcome = await uploadFile(probe, { name, content: bytes });
    expect(outcome.result).toBe('ready');
    return outcome.id ?? '';
  }

  const etag = () => `"${sha256Of(content)}"`;
  const ask = (headers: Record<string, string> = {}, gateway = 1, more: FileRequest = {}) =>
    askFile(stack.httpUrl(gateway), alice, id, { headers, ...more });

  it('[store/nats] [store/folder] is where it was told to be, and nowhere else', async () => {
    const inFolder = readdirSync(folder, { recursive: true, withFileTypes: true });
    const names = inFolder.filter((entry) => entry.isFile()).map(({ name }) => name.slice(0, id.length));
    const { bytes } = await remains(stack);
    const both = [id, largeId].sort();
    expect([names.sort(), bytes]).toEqual(where === 'in NATS' ? [[], both] : [both, []]);
  });

  it('[download/ranges] comes in ranges, byte for byte, from any gateway', async () => {
    const size = content.length;
    const ranges: [range: string, start: number, end: number][] = [
      ['bytes=0-0', 0, 1],
      ['bytes=0-99', 0, 100],
      [`bytes=${MIB - 2}-${MIB + 1}`, MIB - 2, MIB + 2],
      [`bytes=${MIB}-${MIB}`, MIB, MIB + 1],
      [`bytes=5-${3 * MIB}`, 5, 3 * MIB + 1],
      [`bytes=${2 * MIB - 1}-`, 2 * MIB - 1, size],
      ['bytes=-7', size - 7, size],
      [`bytes=-${10 * size}`, 0, size],
      [`bytes=${size - 1}-${10 * size}`, size - 1, size],
      ['bytes=0-', 0, size],
    ];
    for (const gateway of [0, 1]) {
      for (const [range, start, end] of ranges) {
        const part = await ask({ range }, gateway);
        expect([part.status, part.headers.get('content-range')], range).toEqual([
          206,
          `bytes ${start}-${end - 1}/${size}`,
        ]);
        expect(part.headers.get('content-length'), range).toBe(String(end - start));
        expect(part.bytes.equals(content.subarray(start, end)), range).toBe(true);
      }
      const whole = await ask({}, gateway);
      expect([whole.status, whole.headers.get('accept-ranges')]).toEqual([200, 'bytes']);
      expect(whole.headers.get('etag')).toBe(etag());
      expect(whole.bytes.equals(content)).toBe(true);
    }
  });

  it.each(['bytes=-', 'bytes=9-8', 'lines=1-2'])(
    '[download/ranges] comes whole for %s, which is no range of bytes',
    async (range) => {
      const { status, bytes } = await ask({ range });
      expect(status).toBe(200);
      expect(content.equals(bytes)).toBe(true);
    },
  );

  it.each([`bytes=${content.length}-`, `bytes=${10 * content.length}-`, 'bytes=-0'])(
    '[download/ranges] has no byte for %s',
    async (range) => {
      const { status, code, headers } = await ask({ range });
      expect([status, code]).toEqual([416, 'RANGE_INVALID']);
      expect(headers.get('content-range')).toBe(`bytes */${content.length}`);
    },
  );

  it('[download/ranges] comes whole where the range is of something else', async () => {
    const other = `"${sha256Of(Buffer.from('other'))}"`;
    const date = new Date().toUTCString();
    const whole: Record<string, string>[] = [
      { range: 'bytes=1-2', 'if-range': other },
      { range: 'bytes=1-2', 'if-range': `W/${etag()}` },
      { range: 'bytes=1-2', 'if-range': date },
      { range: 'bytes=1-2,4-5' },
      { range: 'lines=1-2' },
    ];
    for (const headers of whole) {
      const answer = await ask(headers);
      expect([answer.status, answer.bytes.length], JSON.stringify(headers)).toEqual([200, content.length]);
    }
    expect((await ask({ range: 'bytes=1-2', 'if-range': etag() })).bytes).toEqual(content.subarray(1, 3));
    for (const tag of [etag(), `W/${etag()}`, `${other}, ${etag()}`, '*'])
      expect((await ask({ 'if-none-match': tag })).status).toBe(304);
    expect((await ask({ 'if-none-match': other })).status).toBe(200);
  });

  it('[download/ranges] tells with HEAD what a GET would bring', async () => {
    for (const gateway of [0, 1]) {
      const { status, headers, bytes } = await ask({}, gateway, { method: 'HEAD' });
      expect([status, bytes.length]).toEqual([200, 0]);
      const whole = await ask({}, gateway);
      for (const name of ['content-length', 'content-type', 'content-disposition', 'etag', 'accept-ranges'])
        expect(headers.get(name), name).toBe(whole.headers.get(name));
    }
  });

  it('[download/authorised] is for its owner, members of its room and admins; others find nothing', async () => {
    const url = stack.httpUrl(1);
    const token = (sub: string) => stack.token({ sub });
    const room = `files ${where}`;
    await createRoom(url, alice, { room_id: room, room_type: 'group', ai: 'never' });
    for (const sub of ['member', 'kicked', 'banned']) await addMember(url, alice, room, sub);
    const shared = await shareFile(stack.httpUrl(), alice, {
      name: 'a.txt',
      content: Buffer.from('a'),
      room,
    });
    const mine = { name: 'b.txt', content: Buffer.from('b'), conversation: 'diary' };
    const own = await shareFile(stack.httpUrl(), alice, mine);
    for (const sub of ['member', 'kicked', 'banned'])
      expect((await askFile(url, await token(sub), shared)).bytes.toString()).toBe('a');
    await kick(url, alice, room, 'kicked');
    await ban(url, alice, room, 'banned');
    // A conversation of their own that has the same name.
    const theirs = { name: 'c.txt', content: Buffer.from('c'), conversation: 'diary' };
    await shareFile(url, await token('member'), theirs);

    const may: [who: string, token: string, shared: boolean, own: boolean][] = [
      ['its owner', alice, true, true],
      ['an admin', await stack.token({ sub: 'root', roles: ['admin'] }), true, true],
      ['a member', await token('member'), true, false],
      ['somebody who was kicked', await token('kicked'), false, false],
      ['somebody who was banned', await token('banned'), false, false],
      ['a stranger', await token('stranger'), false, false],
    ];
    for (const gateway of [0, 1]) {
      const at = stack.httpUrl(gateway);
      for (const [who, bearer, sharedToo, ownToo] of may) {
        const nothing = await askFile(at, bearer, NOWHERE);
        expect([nothing.status, nothing.code]).toEqual([404, 'FILE_NOT_FOUND']);
        for (const [file, allowed] of [
          [shared, sharedToo],
          [own, ownToo],
        ] as const) {
          for (const headers of CONDITIONS) {
            const answer = await askFile(at, bearer, file, { headers });
            if (allowed) expect([200, 206, 304], who).toContain(answer.status);
            else expect(shown(answer), who).toEqual(shown(nothing));
          }
          const head = await askFile(at, bearer, file, { method: 'HEAD' });
          expect(head.status, who).toBe(allowed ? 200 : 404);
        }
        if (sharedToo) continue;
        const deleted = await askFile(at, bearer, shared, { method: 'DELETE' });
        expect(deleted.code, who).toBe('FILE_NOT_FOUND');
      }
      for (const bearer of ['', 'none', `${alice}x`])
        expect((await askFile(at, bearer, shared)).status).toBe(401);
    }
    await deleteRoom(url, alice, room);
    expect((await askFile(url, await token('member'), shared)).code).toBe('FILE_NOT_FOUND');
    expect((await askFile(url, alice, shared)).status).toBe(200);
  });

  it('[download/attachment] [download/inline] [download/svg] is saved and not shown, but for images that are no SVG', async () => {
    for (const [ending, make] of Object.entries(SAMPLE_FILES)) {
      const file = { name: `a ${ending}.${ending}`, content: make() };
      const { headers, bytes } = await askFile(
        stack.httpUrl(1),
        alice,
        await shareFile(stack.httpUrl(), alice, file),
      );
      expect(bytes.equals(file.content), ending).toBe(true);
      const kind = IMAGES.includes(ending) ? 'inline' : 'attachment';
      const name = `filename="${file.name}"; filename*=UTF-8''a%20${ending}.${ending}`;
      expect(headers.get('content-disposition')).toBe(`${kind}; ${name}`);
      expect(headers.get('x-content-type-options'), ending).toBe('nosniff');
      expect(headers.get('content-security-policy'), ending).toBe("sandbox; default-src 'none'");
      const type = headers.get('content-type') ?? '';
      expect(type, ending).not.toMatch(/html|svg|javascript|\bxml$/);
      if (kind === 'inline') expect(type).toMatch(/^image\//);
    }
  });

  it('[download/ranges] streams: no more is read of it than a slow reader takes, and others don’t wait', async () => {
    const url = (gateway: number) => `${stack.httpUrl(gateway)}/api/v1/files/${largeId}`;
    const reads = async () => {
      const counts = stack.uploads.map((one) =>
        readMetric(one, 'natter_uploads_requests_total', 'op="read"'),
      );
      return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
    };
    const before = await reads();
    const slow = await HeldDownload.open(url(0), alice);
    await slow.take(1);
    for (const gateway of [0, 1]) {
      const other = await askFile(stack.httpUrl(gateway), alice, largeId);
      expect(other.bytes.equals(large)).toBe(true);
    }
    const wholes = 2 * Math.ceil(large.length / MIB);
    expect(await reads()).toBeLessThan(before + wholes + LARGE_MIB);
    await slow.take();
    expect(slow.taken.equals(large)).toBe(true);
    expect(await reads()).toBe(before + wholes + wholes / 2);
  });

  it('[download/ranges] goes on at another gateway when the first is killed in the middle of it', async () => {
    const path = `/api/v1/files/${largeId}`;
    const first = await HeldDownload.open(`${stack.httpUrl(0)}${path}`, alice);
    await first.take(3 * MIB);
    await stack.gateways[0]?.kill();
    await expect(first.take()).rejects.toThrow();
    const from = first.taken.length;
    expect(from).toBeLessThan(large.length);
    const headers = { range: `bytes=${from}-`, 'if-range': first.headers.etag ?? '' };
    const second = await HeldDownload.open(`${stack.httpUrl(1)}${path}`, alice, headers);
    expect(second.status).toBe(206);
    await second.take();
    expect(Buffer.concat([first.taken, second.taken]).equals(large)).toBe(true);
  });
});

/** All that an answer tells, but for its correlation id. */
function shown({ status, code, headers, bytes }: Awaited<ReturnType<typeof askFile>>) {
  const names = [...headers.keys()].filter((name) => name !== 'date').sort();
  const body = bytes.toString().replace(/"correlation_id":"[0-9a-f]{32}"/, '');
  return { status, code, names, body };
}
