import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { STREAMS } from '@natter/proto';
import { BusError } from '@natter/runtime';
import type { NatsServer } from '@natter/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FolderStore } from '../../src/store/folder/folder-store.ts';
import { NatsStore } from '../../src/store/nats/nats-store.ts';
import { Stores } from '../../src/store/stores.ts';
import { brokerWithTopology, connectAs, contentOf, sha256 } from '../uploads-under-test.ts';
import { storeContract } from './contract.ts';

let broker: NatsServer;
const folder = mkdtempSync(join(tmpdir(), 'natter-files-'));
beforeAll(async () => {
  broker = await brokerWithTopology();
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await broker.stop();
});

storeContract('[store/contract] [store/nats] the object store of NATS', async () => {
  const [bus, other] = [await connectAs(broker, 'uploads'), await connectAs(broker, 'uploads')];
  afterAll(() => Promise.all([bus.close(), other.close()]));
  return {
    store: new NatsStore(bus),
    other: new NatsStore(other),
    left: async () => (await bus.subjectsOf(STREAMS.files, '>')).sort(),
  };
});

storeContract('[store/contract] [store/folder] a folder', async () => {
  const folders = { dir: join(folder, 'files'), tempDir: join(folder, 'temp') };
  return {
    store: await FolderStore.open(folders),
    other: await FolderStore.open(folders),
    left: async () => filesBelow(folder),
  };
});

function filesBelow(dir: string): string[] {
  const names = readdirSync(dir, { recursive: true }) as string[];
  return names.filter((name) => statSync(join(dir, name)).isFile()).sort();
}

it('keeps files where nobody else of the machine reads them', async () => {
  const dir = join(folder, 'private');
  await FolderStore.open({ dir, tempDir: join(dir, 'temp') });
  expect(statSync(dir).mode & 0o777).toBe(0o700);
});

it('describes objects as ADR-20 says, with chunks in order and the digest of all of them', async () => {
  const bus = await connectAs(broker, 'uploads');
  const content = contentOf(2 ** 21 + 9);
  const key = '00000000-0000-4000-8000-000000000001-0000002a';
  const writer = await new NatsStore(bus).write(key);
  await writer.push(content);
  await writer.commit({ name: 'a.txt', type: 'text/plain', size: content.length, sha256: sha256(content) });
  // Padded, as the tools write it: this name needs one `=`.
  const subject = `$O.files.M.${Buffer.from(key).toString('base64').replaceAll('+', '-').replaceAll('/', '_')}`;
  const [info] = await bus.stored.all(STREAMS.files, subject);
  const digest = Buffer.from(sha256(content), 'hex')
    .toString('base64')
    .replaceAll('+', '-')
    .replaceAll('/', '_');
  expect(JSON.parse(Buffer.from(info?.data ?? []).toString())).toMatchObject({
    name: key,
    bucket: 'files',
    nuid: key,
    size: content.length,
    chunks: 3,
    digest: `SHA-256=${digest}`,
  });
  const chunks = await bus.stored.all(STREAMS.files, `$O.files.C.${key}`);
  expect(sha256(Buffer.concat(chunks.map(({ data }) => data)))).toBe(sha256(content));
  await bus.close();
});

it('says UNAVAILABLE for what the system refuses, and leaves nothing', async () => {
  const folders = { dir: join(folder, 'broken', 'files'), tempDir: join(folder, 'broken', 'temp') };
  const store = await FolderStore.open(folders);
  const key = 'ab000000-0000-4000-8000-000000000001-0000002a';
  const writer = await store.write(key);
  // The folder that the file is to be moved to.
  writeFileSync(join(folders.dir, 'ab'), '');
  const commit = writer.commit({ name: 'n', type: 't/t', size: 0, sha256: sha256(Buffer.alloc(0)) });
  await expect(commit).rejects.toMatchObject({ code: 'UNAVAILABLE', cause: { syscall: expect.any(String) } });
  rmSync(join(folders.dir, 'ab'));
  await writer.abort();
  expect(filesBelow(join(folder, 'broken'))).toEqual([]);
  rmSync(folders.tempDir, { recursive: true });
  await expect(store.write(key)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});

it('says which store is missing for a file of another one', () => {
  const stores = new Stores({ kind: 'nats' } as NatsStore);
  expect(stores.of('nats').kind).toBe('nats');
  expect(() => stores.of('folder')).toThrow(/UPLOAD_DIR/);
});

it('[files/limits-said] says UNAVAILABLE when the object store takes no more: a later try may find room', async () => {
  const bus = await connectAs(broker, 'uploads');
  bus.bulk.append = () => Promise.reject(new BusError('REFUSED', 'maximum bytes exceeded'));
  const writer = await new NatsStore(bus).write('00000000-0000-4000-8000-000000000003-0000002a');
  await writer.push(contentOf(10));
  const commit = writer.commit({ name: 'n', type: 't/t', size: 10, sha256: sha256(contentOf(10)) });
  await expect(commit).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await writer.abort();
  await bus.close();
});
