/** Settings of uploads: limits, folders and the quota; which kinds are taken, and under which names. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SAMPLE_FILES, type Stack, startStack } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ANSWER_MS } from '../src/chat.ts';
import { reportFailures } from '../src/report-failures.ts';
import { openRooms } from '../src/rooms-chat.ts';
import { seedDocument } from '../src/seed-document.ts';
import { uploadByTus } from '../src/upload-tus.ts';
import { initUpload, sha256Of, uploadFile } from '../src/uploading-client.ts';

const MAX_FILE = 300_000;
const MAX_CHUNK = 100_000;
const QUOTA = 1_000_000;

let folder: string;
let stack: Stack;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'natter-uploads-e2e-'));
  mkdirSync(join(folder, 'half'));
  stack = await startStack({
    gateways: 2,
    uploads: 2,
    env: {
      MAX_FILE_SIZE: String(MAX_FILE),
      MAX_CHUNK_SIZE: String(MAX_CHUNK),
      UPLOAD_DIR: join(folder, 'files'),
      TEMP_DIR: join(folder, 'half'),
      NATTER_UPLOAD_QUOTA_BYTES: String(QUOTA),
      WS_RATE_LIMIT_REQUESTS: '10000',
    },
  });
});
afterAll(async () => {
  await stack?.stop();
  rmSync(folder, { recursive: true, force: true });
});
reportFailures(() => stack);

const token = (sub: string) => stack.token({ sub });
const opened = async (sub: string, gateway = 0) => openRooms(stack.url(gateway), await token(sub));
const text = (bytes: number) =>
  Buffer.from('A line of plain text.\n'.repeat(bytes / 22 + 1)).subarray(0, bytes);

/** Every file below the folder, with its path. */
function filesBelow(dir: string): string[] {
  const names = readdirSync(dir, { recursive: true }) as string[];
  return names.map((name) => join(dir, name)).filter((path) => statSync(path).isFile());
}

describe('limits', () => {
  it('[files/settings] [files/env-max-file-size] a file has at most MAX_FILE_SIZE bytes, over both ways', async () => {
    const probe = await opened('sizes');
    const largest = { name: 'a.txt', content: text(MAX_FILE), partBytes: MAX_CHUNK };
    expect(await uploadFile(probe, largest)).toMatchObject({ step: 'finalize', result: 'ready' });
    const larger = { name: 'a.txt', content: text(MAX_FILE + 1), partBytes: MAX_CHUNK };
    expect(await uploadFile(probe, larger)).toMatchObject({ step: 'init', result: 'FILE_TOO_LARGE' });
    const byTus = (content: Buffer) => uploadByTus(stack.httpUrl(1), tusToken, { name: 'a.txt', content });
    const tusToken = await token('sizes of tus');
    expect(await byTus(text(MAX_FILE))).toMatchObject({ result: 'ready' });
    expect(await byTus(text(MAX_FILE + 1))).toMatchObject({ step: 'init', result: 'FILE_TOO_LARGE' });
  });

  it.each([true, false])(
    '[files/env-max-chunk-size] a part has at most MAX_CHUNK_SIZE bytes: base64 %s',
    async (base64) => {
      const probe = await opened('parts');
      const content = text(MAX_CHUNK + 1);
      const whole = { name: 'a.txt', content, base64, partBytes: MAX_CHUNK + 1 };
      expect(await uploadFile(probe, whole)).toMatchObject({ step: 'chunk', result: 'CHUNK_TOO_LARGE' });
      const parted = { name: 'a.txt', content, base64, partBytes: MAX_CHUNK };
      expect(await uploadFile(probe, parted)).toMatchObject({ result: 'ready' });
    },
  );

  it('[files/quota] all files and uploads of a user have at most the bytes of the quota', async () => {
    const [sub, mine] = ['quota', await token('quota')];
    const probe = await opened(sub);
    const upload = () => uploadFile(probe, { name: 'a.txt', content: text(MAX_FILE), partBytes: MAX_CHUNK });
    const first = await upload();
    await upload();
    await upload();
    expect(await upload()).toMatchObject({ step: 'init', result: 'QUOTA_EXCEEDED' });
    const large = { name: 'a.txt', content: text(MAX_FILE) };
    expect(await uploadByTus(stack.httpUrl(1), mine, large)).toMatchObject({ result: 'QUOTA_EXCEEDED' });
    // Somebody else has a quota of their own.
    const other = await initUpload(await opened('somebody else'), large);
    expect(other.data.status).toBe('initialized');
    // What is left of it can be used, and a file that is deleted gives its place back.
    expect((await initUpload(probe, { name: 'a.txt', content: text(100_000) })).type).toBe('file_upload');
    expect((await initUpload(probe, { name: 'a.txt', content: text(1) })).data.code).toBe('QUOTA_EXCEEDED');
    const headers = { authorization: `Bearer ${mine}` };
    await fetch(`${stack.httpUrl()}/api/v1/files/${first.id}`, { method: 'DELETE', headers });
    expect(await upload()).toMatchObject({ result: 'ready' });
  });
});

describe('folders', () => {
  it('[files/env-upload-dir] [files/env-temp-dir] [store/folder] a file is written in TEMP_DIR, and kept in UPLOAD_DIR', async () => {
    const probe = await opened('folders');
    const content = Buffer.concat([text(MAX_FILE - 10), Buffer.from('unmistaken')]);
    const seen = new Set<string>();
    const watching = watch(join(folder, 'half'), (_event, name) => seen.add(name ?? ''));
    try {
      const { id, result } = await uploadFile(probe, { name: 'a.txt', content, partBytes: MAX_CHUNK });
      expect(result).toBe('ready');
      await expect
        .poll(() => [...seen].some((name) => name.includes(id ?? '')), { timeout: ANSWER_MS })
        .toBe(true);
      const kept = filesBelow(join(folder, 'files')).filter((path) => path.includes(id ?? ''));
      expect(kept.map((path) => sha256Of(readFileSync(path)))).toEqual([sha256Of(content)]);
      expect(filesBelow(join(folder, 'half'))).toEqual([]);
      // Any instance reads it.
      const headers = { authorization: `Bearer ${await token('folders')}` };
      const response = await fetch(`${stack.httpUrl(1)}/api/v1/files/${id}`, { headers });
      expect(sha256Of(Buffer.from(await response.arrayBuffer()))).toBe(sha256Of(content));
    } finally {
      watching.close();
    }
  });

  it('[files/nothing-left] a refused file is in none of them', async () => {
    const probe = await opened('refused');
    const file = { name: 'a.png', content: text(MAX_FILE), partBytes: MAX_CHUNK };
    const { id, result } = await uploadFile(probe, file);
    expect(result).toBe('FILE_TYPE_MISMATCH');
    expect(filesBelow(folder).filter((path) => path.includes(id ?? ''))).toEqual([]);
  });
});

describe('kinds and names', () => {
  /** Endings in the seed's list of supported file types. */
  const ENDINGS = seedDocument('004')
    .split('### Supported File Types')[1]
    ?.split('###')[0]
    ?.split('\n')
    .flatMap((line) => /^- \*\*\w+\*\*: ([a-z0-9, ]+)/.exec(line)?.[1]?.trim().split(', ') ?? []);

  it('[files/types] the seed’s list of types is taken, each by its content, and no others', async () => {
    expect(ENDINGS).toHaveLength(42);
    const probe = await opened('kinds');
    const refused: unknown[] = [];
    for (const ending of ENDINGS ?? []) {
      const content = SAMPLE_FILES[ending]?.() ?? Buffer.alloc(0);
      const { result } = await uploadFile(probe, { name: `a file.${ending}`, content });
      if (result !== 'ready') refused.push([ending, result]);
    }
    expect(refused).toEqual([]);
    for (const ending of [
      'exe',
      'dll',
      'sh',
      'bat',
      'php',
      'docm',
      'iso',
      'tiff',
      'ts',
      '',
      'txt.exe',
      'exe.txt',
    ])
      expect([
        ending,
        (await initUpload(probe, { name: `a.${ending}`, content: text(10) })).data.code,
      ]).toEqual([ending, 'FILE_TYPE_NOT_ALLOWED']);
  });

  it('[files/safe-names] names lose paths and control characters, wherever they are shown', async () => {
    const mine = await token('names');
    const probe = await opened('names');
    const headers = { authorization: `Bearer ${mine}` };
    for (const [name, safe] of [
      ['../../etc/notes.txt', 'notes.txt'],
      ['..\\windows\\notes.txt', 'notes.txt'],
      ['a\u0000b\r\nc.txt', 'abc.txt'],
      ['invoice\u202etxt.md', 'invoicetxt.md'],
    ] as const) {
      const { id, data } = await uploadFile(probe, { name, content: text(10) });
      expect(data).toMatchObject({ status: 'ready', file_name: safe });
      const file = await fetch(`${stack.httpUrl()}/api/v1/files/${id}`, { headers });
      expect(file.headers.get('content-disposition')).toContain(safe);
    }
    const list = await fetch(`${stack.httpUrl(1)}/api/v1/files`, { headers });
    const { files } = (await list.json()) as { files: { file_name: string }[] };
    expect(files.map(({ file_name }) => file_name).sort()).toEqual([
      'abc.txt',
      'invoicetxt.md',
      'notes.txt',
      'notes.txt',
    ]);
  });
});
