import { type AssistantMessage, conversationKey, type LogEntry, SUBJECTS } from '@natter/proto';
import { Bus, createLogger, ensureTopology } from '@natter/runtime';
import { type NatsServer, startNatsServer } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TranscriptPages } from '../../src/bus/transcript-pages.ts';

const log = createLogger('gateway', 'silent');
let nats: NatsServer;
let bus: Bus;
let agent: Bus;
let pages: TranscriptPages;

beforeAll(async () => {
  nats = await startNatsServer({ signIn: true });
  const connect = (name: 'gateway' | 'agent') =>
    Bus.connect({ url: nats.url, name, nkeyFile: nats.keyFile(name) }, log);
  bus = await connect('gateway');
  agent = await connect('agent');
  await ensureTopology(agent, { replicas: 1, transcriptDays: 1 });
  pages = new TranscriptPages(bus.stored, log);
});

afterAll(async () => {
  await bus.close();
  await agent.close();
  await nats.stop();
});

const runOf = (number: number) =>
  [...String(number)]
    .map((digit) => 'abcdefghij'[Number(digit)])
    .join('')
    .padStart(26, 'z');
const by = { sub: 'alice', by: 'alice', name: null, at: 1_000 };

let appended = 0;
async function append(key: string, entry: LogEntry): Promise<void> {
  appended += 1;
  await bus.append(SUBJECTS.conversationLog(key), JSON.stringify(entry), { id: `entry-${appended}` });
}

const post = (key: string, number: number) =>
  append(key, {
    type: 'message.posted',
    run: runOf(number),
    id: `m${number}`,
    text: `t${number}`,
    asks: true,
    ...by,
  });
const edit = (key: string, number: number, text: string) =>
  append(key, { type: 'message.edited', run: runOf(number), text, ...by });
const remove = (key: string, number: number) =>
  append(key, { type: 'message.deleted', run: runOf(number), ...by });
const read = (key: string, number: number) =>
  append(key, { type: 'message.read', run: runOf(number), id: `m${number}`, ...by });

async function answer(key: string, number: number): Promise<void> {
  const run = runOf(number);
  const end: AssistantMessage = {
    role: 'assistant',
    status: 'cancelled',
    run,
    text: `a${number}`,
    by: 'alice',
    at: 1,
  };
  await agent.append(SUBJECTS.runEnd(key, run), JSON.stringify(end), { expectLast: 0 });
}

/** All pages from the newest to the oldest, as their texts. */
async function walk(key: string, limit: number): Promise<string[][]> {
  const found: string[][] = [];
  for (let before: number | null = null; ; ) {
    const page = await pages.page(key, { limit, before });
    found.push(page.messages.map(({ text }) => text));
    if (page.next === null) return found;
    before = page.next;
  }
}

describe('TranscriptPages', () => {
  it('give every message once, page by page, among the messages of others', async () => {
    const [key, other] = [conversationKey('alice', 'long'), conversationKey('bob', 'long')];
    const expected: string[] = [];
    for (let number = 1; number <= 30; number += 1) {
      await post(key, number);
      await answer(key, number);
      await post(other, number);
      expected.push(`t${number}`, `a${number}`);
    }
    for (const limit of [1, 7, 60, 100]) {
      const walked = await walk(key, limit);
      expect(walked.toReversed().flat()).toEqual(expected);
      for (const page of walked) expect(page.length).toBeLessThanOrEqual(limit);
    }
  });

  it('show an old message as it was changed long after', async () => {
    const key = conversationKey('alice', 'changed');
    for (let number = 1; number <= 10; number += 1) await post(key, number);
    await edit(key, 1, 'better');
    await remove(key, 2);
    await edit(key, 2, 'not back');
    const all = (await walk(key, 3)).toReversed().flat();
    expect(all).toEqual(['better', '', 't3', 't4', 't5', 't6', 't7', 't8', 't9', 't10']);
    const first = await pages.page(key, { limit: 100, before: null });
    expect(first.messages.map(({ editedAt, deletedAt }) => [editedAt, deletedAt]).slice(0, 3)).toEqual([
      [1_000, undefined],
      [undefined, 1_000],
      [undefined, undefined],
    ]);
  });

  it('find the messages behind any number of receipts', async () => {
    const key = conversationKey('alice', 'receipts');
    await post(key, 1);
    await post(key, 2);
    for (let receipt = 0; receipt < 300; receipt += 1) await read(key, 1);
    expect(await walk(key, 2)).toEqual([['t1', 't2']]);
    expect(await walk(key, 1)).toEqual([['t2'], ['t1']]);
  });

  it('are empty for a conversation in which nothing was said', async () => {
    const key = conversationKey('alice', 'silence');
    expect(await pages.page(key, { limit: 10, before: null })).toEqual({ messages: [], next: null });
    expect(await pages.page(key, { limit: 10, before: 5 })).toEqual({ messages: [], next: null });
    expect(await pages.lastActivity(key)).toBeNull();
  });

  it('leave out a record that can not be read', async () => {
    const key = conversationKey('alice', 'garbage');
    await post(key, 1);
    await bus.append(SUBJECTS.conversationLog(key), '{"type":"from the future"}', { id: 'future' });
    await bus.append(SUBJECTS.conversationLog(key), 'not JSON', { id: 'garbage' });
    expect(await walk(key, 5)).toEqual([['t1']]);
    expect(await pages.lastActivity(key)).toBeGreaterThan(0);
  });
});

describe('messages that may be changed', () => {
  it('are among the newest entries of the log, with what became of them; answers don’t count', async () => {
    const key = conversationKey('alice', 'changes');
    await post(key, 1);
    for (let receipt = 0; receipt < 2_000; receipt += 1) await read(key, 1);
    for (const number of [2, 3]) await post(key, number);
    await answer(key, 2);
    await edit(key, 2, 'new');
    await remove(key, 3);
    const found = await pages.recent(key);
    expect(found.map(({ id, text, deletedAt }) => [id, text, deletedAt])).toEqual([
      ['m2', 'new', undefined],
      ['m3', '', 1_000],
    ]);
  }, 60_000);
});
