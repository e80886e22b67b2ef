import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type FileRecord,
  packUpload,
  SUBJECTS,
  UploadsReply,
  type UploadsRequest,
  unpackUpload,
} from '@natter/proto';
import { BASE_SETTINGS, type Bus, createLogger, ensureTopology, loadConfig } from '@natter/runtime';
import { type NatsServer, startNatsServer } from '@natter/testkit';
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { startUploads } from '../src/app.ts';
import { UPLOADS_SETTINGS } from '../src/config.ts';
import { putPart } from './put-part.ts';
import {
  type Asked,
  brokerWithTopology,
  chunkOf,
  connectAs,
  finalizeOf,
  initOf,
  LOG,
  sha256,
} from './uploads-under-test.ts';

let broker: NatsServer;
beforeAll(async () => {
  broker = await brokerWithTopology();
});
afterAll(() => broker.stop());

/** A whole service, signed in as under `npm start`. */
async function start(env: Record<string, string> = {}, server = broker, log = LOG) {
  const { config } = loadConfig(
    { ...BASE_SETTINGS, ...UPLOADS_SETTINGS },
    {
      NATS_URL: server.url,
      NATTER_NATS_NKEY_FILE: server.keyFile('uploads') ?? '',
      NATTER_ENV: 'development',
      ...env,
    },
  );
  const running = await startUploads(config, log);
  let stopped: Promise<void> | null = null;
  const stop = () => (stopped ??= running.stop());
  onTestFinished(stop);
  const metric = async (line: RegExp) => {
    const text = await (await fetch(`http://127.0.0.1:${running.ports.internal}/metrics`)).text();
    return Number(line.exec(text)?.[1] ?? 0);
  };
  return { stop, metric };
}

/** A gateway's way to ask. */
async function gateway(server = broker) {
  const bus: Bus = await connectAs(server, 'gateway');
  onTestFinished(() => bus.close());
  const ask = async (request: UploadsRequest, timeoutMs = 20_000) => {
    const unpacked = unpackUpload(await bus.request(SUBJECTS.uploads, packUpload(request), timeoutMs));
    return { reply: UploadsReply.parse(unpacked?.json), bytes: unpacked?.bytes ?? new Uint8Array() };
  };
  const replyTo = async (request: UploadsRequest) => (await ask(request)).reply;
  const granted = async (request: Asked, bytes: Uint8Array = new Uint8Array()) => {
    const reply = await (request.op === 'chunk' ? putPart(bus, replyTo, request, bytes) : replyTo(request));
    if (!reply.ok) throw new Error(`${request.op}: ${reply.code}`);
    return reply;
  };
  const upload = async (content: Uint8Array, fileName: string): Promise<FileRecord> => {
    const { progress } = await granted(initOf(content.length, { fileName }));
    const id = progress?.id ?? '';
    const total = Math.ceil(content.length / 2 ** 20);
    for (let index = 0; index < total; index += 1)
      await granted(chunkOf(id, index, total), content.subarray(index * 2 ** 20, (index + 1) * 2 ** 20));
    return (await granted(finalizeOf(id, content))).file as FileRecord;
  };
  return { ask, granted, upload };
}

const text = (size: number) =>
  Buffer.from('A line of plain text.\n'.repeat(Math.ceil(size / 22))).subarray(0, size);

it('[files/any-instance] instances share the requests of one upload, and any of them reads the file', async () => {
  const services = [await start(), await start()];
  const { upload, ask } = await gateway();
  const content = text(5 * 2 ** 20);
  const file = await upload(content, 'notes.txt');
  expect(file).toMatchObject({
    type: expect.stringContaining('text/plain'),
    state: 'ready',
    sha256: sha256(content),
  });
  const { bytes } = await ask({ op: 'read', id: file.id, offset: 2 ** 20, length: 2 ** 20 });
  expect(sha256(bytes)).toBe(sha256(content.subarray(2 ** 20, 2 ** 21)));
  const chunks = await Promise.all(
    services.map(({ metric }) => metric(/natter_uploads_received_bytes_total\{[^}]*\} (\d+)/)),
  );
  expect(chunks.reduce((sum, bytesOfOne) => sum + bytesOfOne, 0)).toBe(content.length);
});

it('[store/folder] keeps files in a folder when it is told one, and gives back those that are in NATS still', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'natter-uploads-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const before = await start();
  const { upload, ask } = await gateway();
  const old = await upload(text(100), 'old.txt');
  await before.stop();
  await start({ UPLOAD_DIR: folder });
  const file = await upload(text(2 ** 20 + 1), 'new.txt');
  const names = readdirSync(folder, { recursive: true }) as string[];
  expect(names.filter((name) => name.includes(file.id))).toHaveLength(1);
  const { bytes } = await ask({ op: 'read', id: file.id, offset: 2 ** 20 - 1, length: 10 });
  expect(bytes).toHaveLength(2);
  expect((await ask({ op: 'read', id: old.id, offset: 0, length: 100 })).bytes).toHaveLength(100);
});

it('extracts the text of a file in a conversation', async () => {
  await start();
  const { upload } = await gateway();
  const { id } = await upload(text(100), 'told.txt');
  const agent = await connectAs(broker, 'agent');
  onTestFinished(() => agent.close());
  await vi.waitFor(
    async () => {
      const [stored] = await agent.stored.all('KV_file_texts', `$KV.file_texts.alice=notes.${id}`);
      expect(JSON.parse(Buffer.from(stored?.data ?? []).toString())).toMatchObject({ id, name: 'told.txt' });
    },
    { timeout: 30_000 },
  );
});

/** A log, and its lines at `warn` and above, with those of the start. */
function heard() {
  // biome-ignore lint/suspicious/noExplicitAny: fields of any line
  const lines: any[] = [];
  const log = createLogger('uploads', 'info', { write: (line) => void lines.push(JSON.parse(line)) });
  const warned = (words: string) => lines.filter(({ level, msg }) => level === 'warn' && msg.includes(words));
  return { log, lines, warned };
}

// Nobody listens there: ports below 1024 need a right that tests have not.
const NO_CLAMD = 'tcp://127.0.0.1:9';

it.each<[string, Record<string, string>]>([
  ['[files/env-virus-scan] with VIRUS_SCAN_ENABLED', { VIRUS_SCAN_ENABLED: 'true' }],
  ['[files/scan] [files/scanned-in-production] in production', { NATTER_ENV: 'production' }],
])('%s files wait for a clamd that is down', async (_, env) => {
  await start({ NATTER_CLAMD: NO_CLAMD, ...env });
  const { upload, ask } = await gateway();
  const file = await upload(text(100), 'waits.txt');
  expect(file.state).toBe('quarantined');
  const { reply } = await ask({ op: 'read', id: file.id, offset: 0, length: 1 });
  expect(reply).toMatchObject({ ok: false, code: 'FILE_QUARANTINED' });
});

it('the start says where files and the scanner are, and warns of a clamd that does not answer, as the first file does', async () => {
  const { log, lines, warned } = heard();
  const folder = mkdtempSync(join(tmpdir(), 'natter-uploads-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const server = await brokerWithTopology();
  onTestFinished(() => server.stop());
  await start({ NATTER_CLAMD: NO_CLAMD, VIRUS_SCAN_ENABLED: 'true', UPLOAD_DIR: folder }, server, log);
  const started = lines.find(({ msg }) => msg === 'files are kept here');
  expect(started).toMatchObject({ store: 'folder', folder, clamd: NO_CLAMD });
  await vi.waitFor(() => expect(warned('clamd does not answer')).toHaveLength(1), { timeout: 30_000 });
  const reason = expect.stringContaining("can't be reached");
  expect(warned('clamd does not answer')).toMatchObject([{ clamd: NO_CLAMD, reason }]);
  const { upload } = await gateway(server);
  expect((await upload(text(100), 'waits.txt')).state).toBe('quarantined');
  expect(warned('could not be scanned: such files')).toMatchObject([{ reason }]);
  expect(warned('max_payload')).toEqual([]);
});

it('the start warns of a broker that takes no whole part, with both numbers', async () => {
  const { log, warned } = heard();
  const server = await startNatsServer({ configExtra: 'max_payload: 1MB' });
  onTestFinished(() => server.stop());
  await start({}, server, log);
  const numbers = { maxPayload: 1_048_576, needed: 1_114_112, maxChunkSize: 1_048_576 };
  expect(warned('max_payload: 2MB')).toMatchObject([numbers]);
});

it.each<[string, Record<string, string>]>([
  [
    '[scan/off] with VIRUS_SCAN_ENABLED off, also in production',
    { VIRUS_SCAN_ENABLED: 'false', NATTER_ENV: 'production' },
  ],
  ['[scan/off] [files/env-virus-scan] in development', { NATTER_ENV: 'development' }],
])('%s files are served without a scanner', async (_, env) => {
  await start({ NATTER_CLAMD: NO_CLAMD, ...env });
  const { upload, ask } = await gateway();
  const file = await upload(text(100), 'goes.txt');
  expect(file.state).toBe('ready');
  const { bytes } = await ask({ op: 'read', id: file.id, offset: 0, length: 100 });
  expect(sha256(bytes)).toBe(file.sha256);
});

it('answers UNAVAILABLE until an agent has made the buckets, and works then', async () => {
  const server = await startNatsServer({ signIn: true });
  onTestFinished(() => server.stop());
  await start({}, server);
  const { ask, upload } = await gateway(server);
  expect((await ask(initOf(10))).reply).toMatchObject({ ok: false, code: 'UNAVAILABLE' });
  const agent = await connectAs(server, 'agent');
  await ensureTopology(agent, { replicas: 1, transcriptDays: 30 });
  await agent.close();
  expect((await upload(text(10), 'a.txt')).state).toBe('ready');
});

it('a file outlives a restart of the broker, and an upload goes on', async () => {
  const server = await brokerWithTopology();
  onTestFinished(() => server.stop());
  await start({}, server);
  const { ask, granted, upload } = await gateway(server);
  const file = await upload(text(3_000_000), 'kept.txt');
  const content = text(1_000);
  const { progress } = await granted(initOf(1_000));
  const id = progress?.id ?? '';
  await granted(chunkOf(id, 0, 2), content.subarray(0, 500));
  await server.kill();
  await server.restart();
  // What is asked before the gateway is connected again is lost.
  const answered = async () =>
    expect((await ask({ op: 'status', sub: 'alice', id }, 1_000)).reply.ok).toBe(true);
  await vi.waitFor(answered, { timeout: 30_000, interval: 100 });
  expect((await granted({ op: 'status', sub: 'alice', id })).progress?.received).toEqual([0]);
  await granted(chunkOf(id, 1, 2), content.subarray(500));
  expect((await granted(finalizeOf(id, content))).file?.state).toBe('ready');
  expect((await ask({ op: 'read', id: file.id, offset: 2_999_999, length: 5 })).bytes).toHaveLength(1);
});
