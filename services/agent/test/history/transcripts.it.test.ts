import { randomUUID } from 'node:crypto';
import { conversationKey, type LogEntry, roomKey, STREAMS, SUBJECTS, type Turn } from '@natter/proto';
import { type Bus, createLogger } from '@natter/runtime';
import { type NatsServer, startNatsServer } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Transcripts } from '../../src/history/transcripts.ts';
import { completed } from '../../src/turn/run-ends.ts';
import { connectBus, newTurn } from '../turn/agent-under-test.ts';
import { METADATA } from '../turn/scripted-orchestrator.ts';

let nats: NatsServer;
let bus: Bus;
let transcripts: Transcripts;

beforeAll(async () => {
  nats = await startNatsServer();
  bus = await connectBus(nats.url);
  transcripts = new Transcripts(bus, createLogger('test', 'silent'));
});

afterAll(async () => {
  await bus.close();
  await nats.stop();
});

const newRoom = () => roomKey('general', randomUUID());

/** Appends to the log of a conversation, as a gateway does. */
async function say(conversation: string, entry: LogEntry): Promise<number> {
  const subject = SUBJECTS.conversationLog(conversation);
  return (await bus.append(subject, JSON.stringify(entry), { id: randomUUID() })).seq;
}

/** A message between people. */
async function chat(conversation: string, text: string, sub = 'bob'): Promise<string> {
  const { run } = newTurn(text, conversation);
  const message = { run, id: randomUUID(), sub, name: sub.toUpperCase(), text, asks: false, at: 1 };
  await say(conversation, { type: 'message.posted', ...message });
  return run;
}

async function answer(turn: Turn, text: string): Promise<void> {
  await transcripts.addEnd(turn, completed(turn, text, METADATA, 2), 5_000);
}

const textsOf = async (turn: Turn, recent: number[], seq: number) =>
  (await transcripts.read(turn, recent, seq)).map(({ text }) => text);

describe('a question', () => {
  it('is in the log once, whether a gateway or an agent stored it first, and how often', async () => {
    const turn = { ...newTurn('hello'), name: 'Alice' };
    const subject = SUBJECTS.conversationLog(turn.conversation);
    const seq = await transcripts.addQuestion(turn);
    expect(await transcripts.addQuestion(turn)).toBe(seq);
    const stored = await bus.stored.all(STREAMS.messages, subject);
    expect(stored.map(({ data }) => JSON.parse(Buffer.from(data).toString()))).toEqual([
      {
        type: 'message.posted',
        run: turn.run,
        id: turn.messageId,
        sub: 'alice',
        name: 'Alice',
        text: 'hello',
        asks: true,
        at: 1,
      },
    ]);
    expect(stored[0]?.header('Nats-Msg-Id')).toBe(`posted-${turn.run}`);
  });
});

describe('the end of a run', () => {
  it('is written once: the second attempt gets the first', async () => {
    const turn = newTurn('x');
    const first = completed(turn, 'first', METADATA, 2);
    expect(await transcripts.findEnd(turn)).toBeNull();
    const stored = await transcripts.addEnd(turn, first, 5_000);
    const { messageId: id, sub, askedAt: at } = turn;
    expect(stored.message).toEqual({ ...first, asked: { id, sub, name: turn.name ?? null, at } });
    expect(await transcripts.addEnd(turn, completed(turn, 'second', METADATA, 3), 5_000)).toEqual(stored);
    expect(await transcripts.findEnd(turn)).toEqual(stored);
  });
});

describe('what a model is shown', () => {
  it('is who said what before the question, and answers that ended since', async () => {
    const room = newRoom();
    await chat(room, 'hi all', 'bob');
    const first = newTurn('first', room);
    const firstSeq = await transcripts.addQuestion(first);
    const question = newTurn('question', room);
    const seq = await transcripts.addQuestion(question);
    await chat(room, 'said after the question', 'carol');
    await answer(first, 're first');
    const shown = await transcripts.read(question, [firstSeq], seq);
    expect(shown.map(({ role, sub, name, text }) => [role, sub, name, text])).toEqual([
      ['user', 'bob', 'BOB', 'hi all'],
      ['user', 'alice', null, 'first'],
      ['assistant', 'alice', null, 're first'],
    ]);
  });

  it('leaves out what was deleted, and shows what was edited as it is now', async () => {
    const room = newRoom();
    await chat(room, 'kept');
    const edited = await chat(room, 'wrong');
    const deleted = await chat(room, 'regretted');
    const question = newTurn('question', room);
    const seq = await transcripts.addQuestion(question);
    await say(room, { type: 'message.edited', run: edited, text: 'right', by: 'bob', at: 3 });
    await say(room, { type: 'message.deleted', run: deleted, by: 'bob', at: 3 });
    expect(await textsOf(question, [], seq)).toEqual(['kept', 'right']);
  });

  it('is the newest messages, as many as the client asked for', async () => {
    const room = newRoom();
    for (let index = 0; index < 25; index += 1) await chat(room, `m${index}`);
    const question = newTurn('question', room);
    const seq = await transcripts.addQuestion(question);
    const newest = (count: number) => Array.from({ length: count }, (_, index) => `m${25 - count + index}`);
    expect(await textsOf(question, [], seq)).toEqual(newest(20));
    expect(await textsOf({ ...question, options: { contextMessages: 3 } }, [], seq)).toEqual(newest(3));
    expect(await textsOf({ ...question, options: { contextMessages: 0 } }, [], seq)).toEqual([]);
    expect(await textsOf({ ...question, options: { contextMessages: 100 } }, [], seq)).toEqual(newest(25));
  });

  it('is the newest messages of a room where people talked a lot since they last asked', async () => {
    const room = newRoom();
    const other = newRoom();
    const asked = newTurn('long ago', room);
    const askedSeq = await transcripts.addQuestion(asked);
    await Promise.all(Array.from({ length: 300 }, (_, index) => chat(room, `old ${index}`)));
    for (let index = 0; index < 10; index += 1) await chat(room, `new ${index}`);
    // Others write into the same stream meanwhile: the newest of the room are not the newest of all.
    await Promise.all(Array.from({ length: 600 }, (_, index) => chat(other, `other ${index}`)));
    const question = newTurn('question', room);
    const seq = await transcripts.addQuestion(question);
    const shown = await textsOf({ ...question, options: { contextMessages: 10 } }, [askedSeq], seq);
    expect(shown).toEqual(Array.from({ length: 10 }, (_, index) => `new ${index}`));
  });

  it('is nothing of another conversation, and bears a message of another version', async () => {
    const conversation = conversationKey('alice', randomUUID());
    await chat(conversationKey('alice', randomUUID()), 'elsewhere');
    await bus.append(SUBJECTS.conversationLog(conversation), '{"of":"another version"}', {
      id: randomUUID(),
    });
    const first = newTurn('first', conversation);
    const firstSeq = await transcripts.addQuestion(first);
    await answer(first, 're first');
    const question = newTurn('question', conversation);
    const seq = await transcripts.addQuestion(question);
    expect(await textsOf(question, [firstSeq], seq)).toEqual(['first', 're first']);
  });
});
