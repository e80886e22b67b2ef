/** Files and a real clamd, in production: what is served, what waits, what is gone, and who is told. */
import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { type Clamd, eicar, needs, type Stack, startClamd, startStack, zipArchive } from '@natter/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ANSWER_MS } from '../src/chat.ts';
import { askFile } from '../src/files-http.ts';
import { reportFailures } from '../src/report-failures.ts';
import { openRooms, settled } from '../src/rooms-chat.ts';
import { remains } from '../src/upload-remains.ts';
import { heardOf, openUploadRoom, toldOf, type UploadRoom } from '../src/upload-room.ts';
import { uploadByTus } from '../src/upload-tus.ts';
import {
  askUpload,
  finalizeUpload,
  initUpload,
  partsOf,
  sendParts,
  sha256Of,
  uploadFile,
} from '../src/uploading-client.ts';

const MISSING = needs('clamd');
const PART = 65_536;
/** Of clamd, far below what is uploaded in some tests. */
const MAX_FILE = 1_048_576;
const STREAM_MAX = 2 * MAX_FILE;

const clean = (bytes: number) => Buffer.alloc(bytes, 'Nothing to see here. ');
const infected = () => Buffer.concat([clean(200_000), eicar()]);

describe.skipIf(MISSING !== null)('with a real clamd', () => {
  let stack: Stack;
  let clamd: Clamd;
  let alice: string;
  let bob: string;
  let room: UploadRoom;
  let rooms = 0;

  beforeAll(async () => {
    clamd = await startClamd({
      configExtra: `MaxFileSize ${MAX_FILE}\nMaxScanSize ${MAX_FILE}\nStreamMaxLength ${STREAM_MAX}`,
    });
    stack = await startStack({
      gateways: 2,
      uploads: 2,
      env: {
        // Nothing is said of VIRUS_SCAN_ENABLED.
        NATTER_ENV: 'production',
        NATTER_CLAMD: `tcp://${clamd.address}`,
        NATTER_RESCAN_SECONDS: '1',
        // The line of each further scan; warnings come once a minute for all files.
        LOG_LEVEL: 'debug',
        WS_RATE_LIMIT_REQUESTS: '100000',
      },
    });
    alice = await stack.token({ sub: 'alice', name: 'Alice' });
    bob = await stack.token({ sub: 'bob', name: 'Bob' });
  });
  afterAll(async () => {
    await stack?.stop();
    await clamd?.stop();
  });
  reportFailures(() => stack);

  beforeEach(async () => {
    rooms += 1;
    room = await openUploadRoom(stack, `scan-${rooms}`, { owner: alice, member: bob });
    return async () => {
      clamd.resume();
      await Promise.all([room.owner.close(), room.member.close()]);
    };
  });

  const served = (id: string, token = bob) => askFile(stack.httpUrl(1), token, id);
  const sharedWith = (content: Uint8Array, name = 'a.txt') => ({
    ...{ name, content, room: room.id, partBytes: PART },
  });

  /** Resolves once the file is served, on the member's gateway. */
  async function becomesServed(id: string, content: Uint8Array): Promise<void> {
    await expect.poll(async () => (await served(id)).status, { timeout: ANSWER_MS }).toBe(200);
    expect((await served(id)).bytes.equals(content)).toBe(true);
  }

  it('[scan/clean-only] [scan/protocol] [files/scan] [files/uploads] serves a file when it was found clean, and not before', async () => {
    const content = clean(300_000);
    const begun = await initUpload(room.owner, sharedWith(content));
    const id: string = begun.data.file_id;
    expect(await sendParts(room.owner, id, partsOf(content, PART))).toBe(null);
    clamd.pause();
    const finished = finalizeUpload(room.owner, id, sha256Of(content));
    // An attempt is noted when the pass begins that reads, scans and stores the parts.
    await expect
      .poll(async () => (await remains(stack)).work.some((job) => job.startsWith(`attempt.${id}`)), {
        timeout: ANSWER_MS,
      })
      .toBe(true);
    expect((await served(id)).code).toBe('FILE_NOT_FOUND');
    for (const { pid } of stack.uploads) expect(openFiles(pid)).toEqual([]);
    await settled(room.member);
    expect(heardOf(room.member, id)).toBe(false);
    clamd.resume();
    expect((await finished).data).toMatchObject({ upload_type: 'finalize', status: 'ready' });
    await becomesServed(id, content);
    await toldOf(room.member, id, 'completed', 'ready');
  });

  it.each<[string, string, () => Uint8Array]>([
    ['[scan/real-clamd] [scan/infected] that is text', 'a.txt', infected],
    ['[scan/infected] in an archive', 'a.zip', () => zipArchive([{ name: 'a.com', content: eicar() }])],
  ])('refuses an infected file %s; nothing of it is left', async (_, name, content) => {
    const before = await remains(stack);
    const { id, result } = await uploadFile(room.owner, sharedWith(content(), name));
    expect(result).toBe('FILE_INFECTED');
    await toldOf(room.member, id ?? '', 'progress', 'refused');
    expect(heardOf(room.member, id ?? '')).toBe(false);
    for (const token of [alice, bob]) expect((await served(id ?? '', token)).code).toBe('FILE_NOT_FOUND');
    for (const again of [
      await finalizeUpload(room.owner, id ?? '', sha256Of(content())),
      await askUpload(room.owner, 'status', id ?? ''),
    ])
      expect(again.data.code).toBe('FILE_INFECTED');
    const after = await remains(stack);
    expect(after.uploads.get(id ?? '')).toBe('FILE_INFECTED');
    expect({ ...after, uploads: null }).toEqual({ ...before, uploads: null });
  });

  it('[scan/down] [scan/again] quarantines files while it is down, says so, and serves them once it is up', async () => {
    const content = clean(300_000);
    await clamd.kill();
    const waits = await uploadFile(room.owner, sharedWith(content));
    const id = waits.id ?? '';
    expect([waits.step, waits.result]).toEqual(['finalize', 'quarantined']);
    expect(waits.data).toMatchObject({ file_id: id, checksum: sha256Of(content), room_id: room.id });
    await toldOf(room.member, id, 'progress', 'quarantined');
    const byTus = await uploadByTus(stack.httpUrl(), alice, {
      name: 'b.txt',
      content: clean(10),
      room: room.id,
    });
    expect(byTus.result).toBe('quarantined');

    const refused = await served(id);
    expect([refused.status, refused.code]).toEqual([423, 'FILE_QUARANTINED']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    const range = { headers: { range: 'bytes=0-0' } };
    expect((await askFile(stack.httpUrl(), alice, id, range)).status).toBe(423);
    expect((await askFile(stack.httpUrl(), alice, id, { method: 'HEAD' })).status).toBe(423);
    expect((await askUpload(room.owner, 'status', id)).data.status).toBe('quarantined');
    // It is scanned again, to no avail.
    await Promise.any(stack.uploads.map((one) => one.line(couldNotScan(id), ANSWER_MS)));
    expect((await served(id)).status).toBe(423);
    expect(heardOf(room.member, id)).toBe(false);
    await room.member.close();

    await clamd.restart();
    // In any order: each instance scans one.
    for (const file of [id, byTus.id ?? ''])
      await expect.poll(() => heardOf(room.owner, file), { timeout: ANSWER_MS }).toBe(true);
    await becomesServed(id, content);
    await becomesServed(byTus.id ?? '', clean(10));
    // A member who was away finds it in the room.
    room.member = await openRooms(stack.url(0), bob);
    const queued = await toldOf(room.member, id, 'completed', 'ready');
    expect(queued.data).toMatchObject({ queued: true, checksum: sha256Of(content) });
    expect((await remains(stack)).work.filter((job) => job.startsWith('scan.'))).toEqual([]);
  });

  it('[scan/again] [scan/infected] takes a quarantined file away when it is found to be infected', async () => {
    await clamd.kill();
    const { id, result } = await uploadFile(room.owner, sharedWith(infected()));
    expect(result).toBe('quarantined');
    const kept = await remains(stack);
    expect([kept.files, kept.bytes]).toEqual([expect.arrayContaining([id]), expect.arrayContaining([id])]);
    await clamd.restart();
    await toldOf(room.member, id ?? '', 'progress', 'refused');
    expect((await askUpload(room.owner, 'status', id ?? '')).data.code).toBe('FILE_INFECTED');
    expect((await served(id ?? '', alice)).code).toBe('FILE_NOT_FOUND');
    expect(heardOf(room.member, id ?? '')).toBe(false);
    const left = await remains(stack);
    expect([...left.files, ...left.bytes, ...left.objects, ...left.work].join()).not.toContain(id);
  });

  it.each([
    ['its MaxFileSize', MAX_FILE + 1],
    ['its StreamMaxLength', STREAM_MAX + PART],
  ])('[scan/limits] quarantines a file above %s, and goes on doing so', async (_, bytes) => {
    const { id, result } = await uploadFile(room.owner, sharedWith(clean(bytes)));
    expect(result).toBe('quarantined');
    await Promise.any(stack.uploads.map((one) => one.line(couldNotScan(id ?? ''), ANSWER_MS)));
    const { status, code } = await served(id ?? '');
    expect([status, code]).toEqual([423, 'FILE_QUARANTINED']);
    expect(heardOf(room.member, id ?? '')).toBe(false);
    // One file that can't be judged keeps no others waiting.
    const other = await uploadFile(room.owner, sharedWith(clean(100), 'other.txt'));
    expect(other.result).toBe('ready');
  });
});

/** The line of a further scan without a verdict. */
function couldNotScan(id: string): RegExp {
  return new RegExp(`${id}.*could not be scanned`);
}

/** Files that a process has open: none of a scan's. */
function openFiles(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`)
    .flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
      } catch {
        // Closed since the folder was read.
        return [];
      }
    })
    .filter((path) => path.startsWith('/') && isFile(path));
}

/** Deleted ones count: whoever has them open can still read them. */
function isFile(path: string): boolean {
  return path.endsWith(' (deleted)') || statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
