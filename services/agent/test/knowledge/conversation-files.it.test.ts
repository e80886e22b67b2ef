/** The files of conversations as the uploads service keeps them, on a real broker. */
import { randomUUID } from 'node:crypto';
import { BUCKETS, conversationKey } from '@natter/proto';
import { Bus, createLogger, keepTopology } from '@natter/runtime';
import { type NatsServer, startNatsServer } from '@natter/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConversationFiles } from '../../src/knowledge/conversation-files.ts';
import { FILE_TEXTS_LIMITS } from '../../src/knowledge/file-texts.ts';
import { retrievalQuery } from '../../src/knowledge/retrieval-query.ts';

const quiet = createLogger('test', 'silent');
/** A run's. */
const log = createLogger('test', 'silent');
const warn = vi.spyOn(log, 'warn');
const alive = new AbortController().signal;

let nats: NatsServer;
/** Writes what the uploads service keeps. */
let bus: Bus;
/** Reads it with the rights of an agent. */
let agent: Bus;
beforeAll(async () => {
  nats = await startNatsServer({ signIn: true });
  const connect = (name: 'agent' | 'uploads') =>
    Bus.connect({ url: nats.url, name, nkeyFile: nats.keyFile(name) ?? null }, quiet);
  agent = await connect('agent');
  await keepTopology(agent, { replicas: 1, transcriptDays: 1 }, quiet);
  bus = await connect('uploads');
}, 30_000);
afterAll(async () => {
  await agent?.close();
  await bus?.close();
  await nats?.stop();
});

let conversation: string;
beforeEach(() => {
  conversation = conversationKey('alice', randomUUID());
  warn.mockClear();
});

async function list(id: string, of = conversation): Promise<void> {
  await (await bus.bucket(BUCKETS.fileIndex)).create(`conv.${of}.${id}`, '');
}

async function write(id: string, value: string, of = conversation): Promise<void> {
  await (await bus.bucket(BUCKETS.fileTexts)).create(`${of}.${id}`, value);
}

/** As the uploads service does it: the index first, the text when it is extracted. */
async function share(name: string, text: string, of = conversation): Promise<string> {
  const id = randomUUID();
  await list(id, of);
  await write(id, JSON.stringify({ id, name, text }), of);
  return id;
}

async function remove(id: string): Promise<void> {
  await (await bus.bucket(BUCKETS.fileIndex)).purge(`conv.${conversation}.${id}`);
  await (await bus.bucket(BUCKETS.fileTexts)).purge(`${conversation}.${id}`);
}

/** With the names of the reads it makes. */
function opened(lookMs?: number) {
  const reads: string[] = [];
  const noted = <A extends unknown[], R>(name: string, read: (...args: A) => R) => {
    return (...args: A) => {
      reads.push(name);
      return read(...args);
    };
  };
  const { stored } = agent;
  const files = new ConversationFiles({
    stored: {
      newest: noted('newest', stored.newest.bind(stored)),
      from: noted('from', stored.from.bind(stored)),
      since: noted('since', stored.since.bind(stored)),
    },
    ...(lookMs === undefined ? {} : { lookMs }),
  });
  const names = async (of = conversation) => (await files.of(of, alive, log))?.files.map(({ name }) => name);
  return { files, names, reads };
}

describe('the files of a conversation', () => {
  it('cost one read where there are none, each time', async () => {
    const { names, reads } = opened();
    expect([await names(), await names()]).toEqual([undefined, undefined]);
    expect(reads).toEqual(['newest', 'newest']);
  });

  it('[text/sources] are searched by their texts, with their names as sources', async () => {
    await share('garage.txt', 'The spare key hangs in the garage.');
    const texts = await opened().files.of(conversation, alive, log);
    expect(texts?.search(retrievalQuery('Where is the spare key?', null), 6)).toEqual([
      { source: 'garage.txt', title: 'garage.txt', text: 'The spare key hangs in the garage.' },
    ]);
  });

  it('[text/own] are those of this conversation only', async () => {
    const other = conversationKey('bob', 'x');
    await share('hers.txt', 'a', other);
    const { names } = opened();
    expect(await names()).toBeUndefined();
    expect(await names(other)).toEqual(['hers.txt']);
  });

  it('are found when they come later, and only what is new is read', async () => {
    const { names, files, reads } = opened();
    expect(await names()).toBeUndefined();
    await share('one.txt', 'first');
    expect(await names()).toEqual(['one.txt']);
    const before = await files.of(conversation, alive, log);
    reads.length = 0;
    expect(await files.of(conversation, alive, log)).toBe(before);
    expect(reads).toEqual(['from', 'from']);
    await share('two.txt', 'second');
    expect(await names()).toEqual(['one.txt', 'two.txt']);
  });

  it('are found when their text comes long after them', async () => {
    const { names } = opened();
    const id = randomUUID();
    await list(id);
    expect(await names()).toBeUndefined();
    await share('second.txt', 'b');
    expect(await names()).toEqual(['second.txt']);
    await write(id, JSON.stringify({ id, name: 'first.txt', text: 'a' }));
    expect(await names()).toEqual(['first.txt', 'second.txt']);
  });

  it('[text/deleted] are found no more once they are deleted', async () => {
    const { names } = opened();
    const [one, two] = [await share('one.txt', 'a'), await share('two.txt', 'b')];
    expect(await names()).toEqual(['one.txt', 'two.txt']);
    await remove(one);
    expect(await names()).toEqual(['two.txt']);
    await remove(two);
    expect(await names()).toBeUndefined();
    await share('three.txt', 'c');
    expect(await names()).toEqual(['three.txt']);
  });

  it('are the newest of more than are searched', async () => {
    const all = Array.from({ length: FILE_TEXTS_LIMITS.files + 4 }, (_, n) => `${n}.txt`);
    for (const name of all) await share(name, name);
    const { names } = opened();
    expect(await names()).toEqual(all.slice(-FILE_TEXTS_LIMITS.files));
    await share('last.txt', 'x');
    expect(await names()).toEqual([...all, 'last.txt'].slice(-FILE_TEXTS_LIMITS.files));
  });

  it('bear a text that can not be read, with a line in the log', async () => {
    await list(randomUUID());
    await write(randomUUID(), 'no JSON');
    await share('good.txt', 'a');
    expect(await opened().names()).toEqual(['good.txt']);
    expect(warn).toHaveBeenCalledTimes(1);
  });
});

describe('an agent that can not read the files', () => {
  it('goes on without them and says so once for the run', async () => {
    await share('one.txt', 'a');
    await nats.kill();
    const found = await opened(300).files.of(conversation, alive, log);
    await nats.restart();
    expect(found).toBeNull();
    expect(warn).toHaveBeenCalledTimes(1);
    expect(await opened(60_000).names()).toEqual(['one.txt']);
  }, 90_000);

  it('goes on without them when the broker refuses', async () => {
    const refused = () => Promise.reject(Object.assign(new Error('refused'), { code: 'REFUSED' }));
    const files = new ConversationFiles({ stored: { newest: refused, from: refused, since: refused } });
    expect(await files.of(conversation, alive, log)).toBeNull();
    expect(warn).toHaveBeenCalledTimes(1);
  });

  it('ends at once, without a word, when the run is cancelled', async () => {
    const never = () => new Promise<never>(() => undefined);
    const files = new ConversationFiles({ stored: { newest: never, from: never, since: never } });
    const controller = new AbortController();
    const found = files.of(conversation, controller.signal, log);
    controller.abort(new Error('cancelled'));
    expect(await found).toBeNull();
    expect(warn).not.toHaveBeenCalled();
  });
});
