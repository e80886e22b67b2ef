/** A service that dies between any two steps of a finalize: whoever comes next finishes it. */
import { randomUUID } from 'node:crypto';
import type { NatsServer } from '@natter/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DEAD_MS, sweep } from '../../src/rounds/sweep.ts';
import {
  brokerWithTopology,
  CONVERSATION,
  chunkOf,
  contentOf,
  everything,
  finalizeOf,
  LOG,
  logOf,
  type Options,
  scannerThatSays,
  send,
  type UploadsUnderTest,
  uploadsUnderTest,
} from '../uploads-under-test.ts';

let broker: NatsServer;
beforeAll(async () => {
  broker = await brokerWithTopology();
});
afterAll(() => broker.stop());

const content = contentOf(2_500_000);
const STEPS = [
  'attempt noted',
  'judged',
  'written',
  'decided',
  'noted',
  'recorded',
  'settled',
  'indexed',
  'shared',
  'upload removed',
  'parts removed',
  'done',
];

/** A service that stops for ever after a step, as one that is killed there: nothing of it is cleaned up. */
async function dying(
  step: string,
  options: Options = {},
): Promise<{ service: UploadsUnderTest; dead: Promise<void> }> {
  const { promise: dead, resolve } = Promise.withResolvers<void>();
  const service = await uploadsUnderTest(broker, {
    ...options,
    step: async (done) => {
      if (done !== step) return;
      resolve();
      await new Promise(() => {});
    },
  });
  return { service, dead };
}

const later = (ms: number) => () => Date.now() + ms;
const sweepLater = async () => {
  const sweeper = await uploadsUnderTest(broker, { now: later(DEAD_MS + 1_000) });
  await sweep({ ...sweeper.uploads.completion(sweeper.kept), log: LOG });
};

/** Subjects without the file, to compare what other tests left. */
async function keptOf(service: UploadsUnderTest, id: string): Promise<string[]> {
  const subjects = await everything(service.bus);
  return subjects.filter((subject) => subject.includes(id)).map((subject) => subject.replaceAll(id, '<id>'));
}

/** What a finished file keeps; nothing of its upload. */
const FINISHED = ['$KV.file_index.conv.alice=notes.<id>', '$KV.file_index.text.<id>', '$KV.files.<id>'];

describe.each(STEPS)('killed after "%s"', (step) => {
  it('a status that says that it is a file has made it one', async () => {
    const { service, dead } = await dying(step);
    const id = await send(service, content, 2 ** 20);
    void service.ask(finalizeOf(id, content));
    await dead;

    const next = await uploadsUnderTest(broker);
    const { file } = await next.granted({ op: 'status', sub: 'alice', id });
    const isFile = STEPS.indexOf(step) >= STEPS.indexOf('decided');
    expect(file !== undefined).toBe(isFile);
    expect(await next.code({ op: 'file', id })).toBe(isFile ? 'ok' : 'FILE_NOT_FOUND');
    expect(await logEntriesOf(next, id)).toHaveLength(isFile ? 1 : 0);
  });

  it('[files/killed] another instance finishes it, once, when the finalize is repeated', async () => {
    const { service, dead } = await dying(step);
    const id = await send(service, content, 2 ** 20);
    void service.ask(finalizeOf(id, content));
    await dead;

    const next = await uploadsUnderTest(broker);
    const { file } = await next.granted(finalizeOf(id, content));
    expect(file).toMatchObject({ id, state: 'ready', size: content.length });
    expect(
      Buffer.from(await next.read(id, 2 ** 20, 100)).equals(content.subarray(2 ** 20, 2 ** 20 + 100)),
    ).toBe(true);
    await sweepLater();
    expect((await next.granted(finalizeOf(id, content))).file).toEqual(file);
    expect(await logEntriesOf(next, id)).toHaveLength(1);
    expect((await keptOf(next, id)).filter((subject) => !subject.startsWith('$O.'))).toEqual(FINISHED);
    expect(await objectsOf(next, id)).toHaveLength(2);
  });

  it('a sweep leaves a whole file or none, and no bytes that nobody can find', async () => {
    const { service, dead } = await dying(step);
    const id = await send(service, content, 2 ** 20);
    void service.ask(finalizeOf(id, content));
    await dead;

    await sweepLater();
    const next = await uploadsUnderTest(broker);
    const found = await next.code({ op: 'file', id });
    if (found === 'ok') {
      expect((await keptOf(next, id)).filter((subject) => !subject.startsWith('$O.'))).toEqual(FINISHED);
      expect(await logEntriesOf(next, id)).toHaveLength(1);
      expect(await objectsOf(next, id)).toHaveLength(2);
    } else {
      expect(await objectsOf(next, id)).toEqual([]);
      // The upload waits for its client as before.
      expect((await next.granted(finalizeOf(id, content))).file).toMatchObject({ id, state: 'ready' });
    }
  });
});

async function logEntriesOf(service: UploadsUnderTest, id: string): Promise<unknown[]> {
  return (await logOf(service.bus)).filter((entry) => (entry as { file?: string }).file === id);
}

async function objectsOf(service: UploadsUnderTest, id: string): Promise<string[]> {
  const base64 = Buffer.from(id).toString('base64url').slice(0, 40);
  const subjects = await everything(service.bus);
  return subjects.filter((one) => one.startsWith('$O.') && (one.includes(id) || one.includes(base64)));
}

it('a refusal that died in the middle says the same when it is repeated, and leaves nothing', async () => {
  const before = await uploadsUnderTest(broker);
  const { service, dead } = await dying('refused');
  const id = await send(service, content, 2 ** 20);
  void service.ask(finalizeOf(id, contentOf(10)));
  await dead;
  expect(await before.code(finalizeOf(id, contentOf(10)))).toBe('CHECKSUM_MISMATCH');
  expect(await before.code(chunkOf(id, 0, 3), content.subarray(0, 10))).toBe('CHECKSUM_MISMATCH');
  await sweepLater();
  expect(await keptOf(before, id)).toEqual(['$KV.uploads.alice.<id>']);
  expect(await objectsOf(before, id)).toEqual([]);
});

it('two at once on two instances end in one file', async () => {
  const [one, two] = [await uploadsUnderTest(broker), await uploadsUnderTest(broker)];
  const id = await send(one, content, 2 ** 20);
  const replies = await Promise.all(
    [one, two, one].map((service) => service.granted(finalizeOf(id, content))),
  );
  expect(replies[1]?.file).toEqual(replies[0]?.file);
  expect(replies[2]?.file).toEqual(replies[0]?.file);
  expect(await logEntriesOf(one, id)).toHaveLength(1);
  expect((await keptOf(one, id)).filter((subject) => !subject.startsWith('$O.'))).toEqual(FINISHED);
  expect(await objectsOf(one, id)).toHaveLength(2);
});

it('one that was taken for dead by a sweep gives up, and its client may try again', async () => {
  const { promise: swept, resolve: go } = Promise.withResolvers<void>();
  const { promise: waiting, resolve: reached } = Promise.withResolvers<void>();
  const slow = await uploadsUnderTest(broker, {
    step: async (done) => {
      if (done !== 'written') return;
      reached();
      await swept;
    },
  });
  const id = await send(slow, content, 2 ** 20);
  const answer = slow.granted(finalizeOf(id, content));
  await waiting;
  await sweepLater();
  go();
  // It begins again by itself.
  const { file } = await answer;
  expect(file).toMatchObject({ id, state: 'ready' });
  expect(await objectsOf(slow, id)).toHaveLength(2);
  expect(Buffer.from(await slow.read(id, 0, 50)).equals(content.subarray(0, 50))).toBe(true);
});

it('an upload that is cancelled during its finalize becomes no file', async () => {
  const { promise: cancelled, resolve: go } = Promise.withResolvers<void>();
  const { promise: waiting, resolve: reached } = Promise.withResolvers<void>();
  const slow = await uploadsUnderTest(broker, {
    step: async (done) => {
      if (done !== 'written') return;
      reached();
      await cancelled;
    },
  });
  const id = await send(slow, content, 2 ** 20);
  const answer = slow.code(finalizeOf(id, content));
  await waiting;
  const other = await uploadsUnderTest(broker);
  await other.granted({ op: 'cancel', sub: 'alice', id });
  go();
  expect(await answer).toBe('UPLOAD_NOT_FOUND');
  expect(await keptOf(other, id)).toEqual([]);
  expect(await objectsOf(other, id)).toEqual([]);
});

describe.each(['noted', 'recorded', 'settled', 'indexed', 'shared'])(
  'a finalize that stalls after "%s"',
  (step) => {
    it('brings no file back that was finished by another one and deleted meanwhile', async () => {
      const { promise: deleted, resolve: go } = Promise.withResolvers<void>();
      const { promise: waiting, resolve: reached } = Promise.withResolvers<void>();
      const slow = await uploadsUnderTest(broker, {
        step: async (done) => {
          if (done !== step) return;
          reached();
          await deleted;
        },
      });
      const sub = `deleter-${step}`;
      const conversation = `${sub}=notes`;
      const id = await send(slow, content, 2 ** 20, { sub, conversation });
      const answer = slow.code(finalizeOf(id, content, sub));
      await waiting;
      const other = await uploadsUnderTest(broker);
      await other.granted(finalizeOf(id, content, sub));
      await other.granted({ op: 'delete', id });
      // It keeps what the delete left.
      expect(await other.code({ op: 'cancel', sub, id })).toBe('UPLOAD_NOT_FOUND');
      go();
      expect(await answer).toBe('UPLOAD_NOT_FOUND');
      expect(await other.code({ op: 'file', id })).toBe('FILE_NOT_FOUND');
      expect(await other.code({ op: 'status', sub, id })).toBe('UPLOAD_NOT_FOUND');
      expect(await keptOf(other, id)).toEqual([`$KV.uploads.${sub}.<id>`]);
      expect(await other.kept.ledger.files(sub)).toEqual([]);
    });
  },
);

it('a delete that died before the file was gone is ended by a sweep', async () => {
  const service = await uploadsUnderTest(broker);
  const id = await send(service, content, 2 ** 20);
  await service.granted(finalizeOf(id, content));
  const found = await service.kept.files.get(id);
  if (found === null) throw new Error('a finished file is recorded');
  const { owner, conversation } = found.file;
  const { store, key } = found.placement;
  await service.kept.attempts.end({ id, owner, conversation, store, key });
  await service.kept.uploads.end(found.file, 'UPLOAD_NOT_FOUND');
  await sweepLater();
  expect(await keptOf(service, id)).toEqual(['$KV.uploads.alice.<id>']);
  expect(await objectsOf(service, id)).toEqual([]);
});

describe('a file that is not scanned yet', () => {
  afterEach(() => undefined);

  it.each(['noted', 'recorded', 'shared'])(
    'is not forgotten when its service dies after "%s"',
    async (step) => {
      const unknown = scannerThatSays(() => ({ verdict: 'unknown', reason: 'down' }));
      const { service, dead } = await dying(step, { scanner: unknown });
      const id = await send(service, content, 2 ** 20);
      void service.ask(finalizeOf(id, content));
      await dead;
      await sweepLater();
      const next = await uploadsUnderTest(broker, { now: later(60_000) });
      expect(await next.code({ op: 'read', id, offset: 0, length: 1 })).toBe('FILE_QUARANTINED');
      expect(await next.kept.scans.open()).toContain(id);
      expect(await logEntriesOf(next, id)).toEqual([]);
    },
  );
});

it('one whose bytes can not be reached keeps no others from being swept', async () => {
  const { service, dead } = await dying('attempt noted');
  const orphan = { id: randomUUID(), owner: 'alice', conversation: null };
  // Older than the other one. Nobody here has UPLOAD_DIR.
  const folder = await service.kept.attempts.begin(orphan, 'folder');
  const id = await send(service, content, 2 ** 20);
  void service.ask(finalizeOf(id, content));
  await dead;
  await sweepLater();
  await sweepLater();
  const left = (await everything(service.bus)).filter((subject) => subject.includes('attempt.'));
  expect(left).toEqual([`$KV.file_index.attempt.${orphan.id}.${folder.key.slice(37)}`]);
  await service.kept.attempts.remove(folder.key);
});

it('deletes go on where a death ended them', async () => {
  const service = await uploadsUnderTest(broker);
  const id = await send(service, content, 2 ** 20);
  await service.granted(finalizeOf(id, content));
  const found = await service.kept.files.get(id);
  if (found === null) throw new Error('a finished file is recorded');
  const { owner, conversation } = found.file;
  // As far as a delete gets that dies after the file's record.
  const { store, key } = found.placement;
  await service.kept.attempts.end({ id, owner, conversation, store, key });
  await service.kept.files.remove(id);
  await sweepLater();
  expect(await keptOf(service, id)).toEqual([]);
  expect(await objectsOf(service, id)).toEqual([]);
  expect(
    (await service.granted({ op: 'list', of: { conversation: CONVERSATION } })).files?.map((file) => file.id),
  ).not.toContain(id);
});
