/** The files of conversations as the uploads service keeps them, on a real broker. */
import { randomUUID } from 'node:crypto';
import { BUCKETS, conversationKey } from '@natter/proto';
import { Bus, createLogger, keepTopology } from '@natter/runtime';
import { type NatsServer, startNatsServer } from '@natter/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Clock, ConversationFiles } from '../../src/knowledge/conversation-files.ts';
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

/** As the uploads service notes that a text is to be extracted. */
async function note(id: string): Promise<void> {
  await (await bus.bucket(BUCKETS.fileIndex)).create(`text.${id}`, JSON.stringify({ until: 0, tries: 0 }));
}

async function done(id: string): Promise<void> {
  await (await bus.bucket(BUCKETS.fileIndex)).purge(`text.${id}`);
}

/** Waits take no time; `during` is what happens in the n-th, from 1 on. */
function clockOf(during: (n: number, signal: AbortSignal) => Promise<void> | void = () => undefined) {
  const waits: number[] = [];
  let now = Date.now();
  const clock: Clock = {
    now: () => now,
    wait: async (ms, signal) => {
      waits.push(ms);
      now += ms;
      await during(waits.length, signal);
    },
  };
  const forward = (ms: number) => {
    now += ms;
  };
  return { clock, waits, forward };
}

/** With the names of the reads it makes. */
function opened(lookMs?: number, clock: Clock = clockOf(() => expect.fail('nothing to wait for')).clock) {
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
    clock,
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

/** Of a look that has work to do on a machine that is busy. */
const PATIENT_MS = 60_000;

describe('a text that is being extracted', () => {
  it('is waited for', async () => {
    const id = randomUUID();
    await list(id);
    await note(id);
    const { clock, waits } = clockOf(async (n) => {
      if (n !== 3) return;
      await write(id, JSON.stringify({ id, name: 'slow.pdf', text: 'a' }));
      await done(id);
    });
    expect(await opened(PATIENT_MS, clock).names()).toEqual(['slow.pdf']);
    expect(waits).toEqual([150, 150, 150]);
  });

  it('is waited for in a conversation whose other files are known', async () => {
    const id = randomUUID();
    const { clock, waits } = clockOf(async () => {
      await write(id, JSON.stringify({ id, name: 'two.txt', text: 'b' }));
      await done(id);
    });
    const { names } = opened(PATIENT_MS, clock);
    await share('one.txt', 'a');
    expect(await names()).toEqual(['one.txt']);
    await list(id);
    await note(id);
    expect(await names()).toEqual(['one.txt', 'two.txt']);
    expect(waits).toEqual([150]);
  });

  it('is waited for no more once it turns out that there is none', async () => {
    await share('one.txt', 'a');
    const id = randomUUID();
    await list(id);
    await note(id);
    const { clock, waits } = clockOf(() => done(id));
    expect(await opened(PATIENT_MS, clock).names()).toEqual(['one.txt']);
    expect(waits).toEqual([150]);
  });

  it('is waited for no longer than 3 s, with one read each time, and found by a later question', async () => {
    await share('one.txt', 'a');
    const id = randomUUID();
    await list(id);
    await note(id);
    const { clock, waits } = clockOf();
    const { names, reads } = opened(PATIENT_MS, clock);
    expect(await names()).toEqual(['one.txt']);
    expect(waits).toEqual(Array(20).fill(150));
    expect(reads.filter((name) => name === 'since')).toHaveLength(1 + 1 + 20);
    expect(warn).not.toHaveBeenCalled();
    await write(id, JSON.stringify({ id, name: 'slow.pdf', text: 'b' }));
    await done(id);
    expect(await names()).toEqual(['one.txt', 'slow.pdf']);
    expect(waits).toHaveLength(20);
  });

  it('is not waited for when it has been open for two minutes', async () => {
    const id = randomUUID();
    await list(id);
    await note(id);
    const { clock, waits, forward } = clockOf();
    forward(180_000);
    expect(await opened(PATIENT_MS, clock).names()).toBeUndefined();
    expect(waits).toEqual([]);
    await done(id);
  });

  it('of another conversation is not waited for', async () => {
    await list(randomUUID());
    const other = randomUUID();
    await list(other, conversationKey('bob', randomUUID()));
    await note(other);
    expect(await opened(PATIENT_MS).names()).toBeUndefined();
    await done(other);
  });

  /** By the machine's clock; `before` runs before the n-th read from a time on, from 1 on. */
  const bySystemClock = async (before: (n: number) => Promise<void> | void) => {
    const { stored } = agent;
    let reads = 0;
    const files = new ConversationFiles({
      stored: {
        newest: stored.newest.bind(stored),
        from: stored.from.bind(stored),
        since: async (...args) => {
          reads += 1;
          await before(reads);
          return stored.since(...args);
        },
      },
      lookMs: PATIENT_MS,
    });
    return (await files.of(conversation, alive, log))?.files.map(({ name }) => name);
  };

  it('is found when it was done between the look for it and the look for its note', async () => {
    const id = randomUUID();
    await list(id);
    const names = await bySystemClock(async (n) => {
      if (n === 2) await write(id, JSON.stringify({ id, name: 'quick.txt', text: 'a' }));
    });
    expect(names).toEqual(['quick.txt']);
  });

  it('is waited for by the clock of the machine', async () => {
    const id = randomUUID();
    await list(id);
    await note(id);
    const names = await bySystemClock(async (n) => {
      if (n !== 3) return;
      await write(id, JSON.stringify({ id, name: 'slow.pdf', text: 'a' }));
      await done(id);
    });
    expect(names).toEqual(['slow.pdf']);
  });

  it('costs one read to know that there is none of an old file, and none where all files have texts', async () => {
    await share('one.txt', 'a');
    const { clock, forward } = clockOf(() => expect.fail('nothing to wait for'));
    const { names, reads } = opened(PATIENT_MS, clock);
    await names();
    reads.length = 0;
    await names();
    expect(reads).toEqual(['from', 'from']);
    await list(randomUUID());
    forward(180_000);
    reads.length = 0;
    expect(await names()).toEqual(['one.txt']);
    expect(reads).toEqual(['from', 'from', 'since']);
  });

  it('is waited for no more once the run is cancelled', async () => {
    await share('one.txt', 'a');
    const id = randomUUID();
    await list(id);
    await note(id);
    const controller = new AbortController();
    const { clock, waits } = clockOf(() => controller.abort(new Error('cancelled')));
    expect(await opened(PATIENT_MS, clock).files.of(conversation, controller.signal, log)).toBeNull();
    expect(waits).toHaveLength(1);
    expect(warn).not.toHaveBeenCalled();
    await done(id);
  });

  it('costs nothing when the run was cancelled before', async () => {
    const { files, reads } = opened(PATIENT_MS);
    expect(await files.of(conversation, AbortSignal.abort(new Error('cancelled')), log)).toBeNull();
    expect(reads).toEqual([]);
    expect(warn).not.toHaveBeenCalled();
  });

  it('takes nothing away that was found when the wait for it fails', async () => {
    await share('one.txt', 'a');
    const id = randomUUID();
    await list(id);
    await note(id);
    const { clock } = clockOf(() => Promise.reject(Object.assign(new Error('broken'), { code: 'X' })));
    expect(await opened(PATIENT_MS, clock).names()).toEqual(['one.txt']);
    expect(warn).toHaveBeenCalledTimes(1);
    await done(id);
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
