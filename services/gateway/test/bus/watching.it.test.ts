import { conversationKey, STREAMS, SUBJECTS } from '@natter/proto';
import { Bus, createLogger, ensureTopology, keepTopology } from '@natter/runtime';
import { type NatsServer, startNatsServer } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { plainDialect } from '../plain-dialect.ts';
import { CarefulReader } from './careful-reader.ts';
import {
  type HubRig,
  hubOn,
  isEndOf,
  isSaid,
  lossy,
  runOf,
  Talk,
  textIn,
  watch,
  watching,
} from './hub-rig.ts';

const log = createLogger('gateway', 'silent');
/** More than are remembered by their ids. */
const MANY = 300;
const TOPOLOGY = { replicas: 1, transcriptDays: 1 };
let nats: NatsServer;
let bus: Bus;
let agent: Bus;
let rig: HubRig;

beforeAll(async () => {
  nats = await startNatsServer();
  bus = await Bus.connect({ url: nats.url, name: 'gateway' }, log);
  agent = await Bus.connect({ url: nats.url, name: 'agent' }, log);
  await keepTopology(agent, TOPOLOGY, log);
  rig = hubOn(bus);
});

afterAll(async () => {
  await bus.close();
  await agent.close();
  await nats.stop();
});

let talks = 0;
const newTalk = () => new Talk(agent, conversationKey('alice', `talk ${++talks}`));
let runs = 0;
const newRun = () => runOf(++runs);

describe('somebody who watches', () => {
  it('gets the text so far in mid-run, then each delta once', async () => {
    const talk = newTalk();
    const run = newRun();
    await talk.begin(run);
    await talk.say(run, 'one ');
    await talk.say(run, 'two ');
    const watcher = await watching(rig, talk.key);
    expect(watcher.sent.map(({ event }) => event?.type)).toEqual(['run.started', 'text.delta']);
    await talk.say(run, 'three');
    await talk.end(run);
    await watcher.until(isEndOf(run));
    expect(textIn(watcher.sent, run)).toBe('one two three');
    new CarefulReader().read(watcher.sent);
    watcher.watching.stop();
    expect(rig.hub.find(talk.key)).toBeNull();
  });

  it('is sent frames that were encoded once for all of the same wire', async () => {
    const talk = newTalk();
    let encodings = 0;
    const plain = plainDialect();
    const dialect = {
      ...plain,
      encodePlaceEvent: (...args: Parameters<typeof plain.encodePlaceEvent>) => {
        encodings += 1;
        return plain.encodePlaceEvent(...args);
      },
    };
    const watchers = await Promise.all(Array.from({ length: 4 }, () => watching(rig, talk.key, { dialect })));
    await talk.post(newRun(), 'hello');
    await Promise.all(watchers.map(({ until }) => until(isSaid('message.posted'))));
    expect(encodings).toBe(1);
    for (const watcher of watchers) watcher.watching.stop();
  });

  it('with and without cursors gets frames of its own', async () => {
    const talk = newTalk();
    const [wants, doesNot] = await Promise.all([
      watching(rig, talk.key),
      watching(rig, talk.key, { cursors: false }),
    ]);
    await talk.post(newRun(), 'hello');
    await Promise.all([wants.until(isSaid('message.posted')), doesNot.until(isSaid('message.posted'))]);
    expect(wants.sent[0]?.cursor).toMatch(/^c1\./);
    expect(doesNot.sent[0]?.cursor).toBeNull();
    for (const watcher of [wants, doesNot]) watcher.watching.stop();
  });

  it('does not see the message come back that it has said', async () => {
    const talk = newTalk();
    const [run, other] = [newRun(), newRun()];
    const [sender, reader] = await Promise.all([watching(rig, talk.key), watching(rig, talk.key)]);
    rig.hub.find(talk.key)?.mute(run, sender.watching.watch);
    await talk.post(run, 'mine');
    await talk.post(other, 'theirs');
    await Promise.all([
      sender.until(isSaid('message.posted', other)),
      reader.until(isSaid('message.posted', other)),
    ]);
    expect(sender.sent.filter(isSaid('message.posted', run))).toEqual([]);
    expect(reader.sent.filter(isSaid('message.posted', run))).toHaveLength(1);
    for (const watcher of [sender, reader]) watcher.watching.stop();
  });

  it('is told who is typing, but for the connection that types; presence goes to the rooms', async () => {
    const talk = newTalk();
    const [typist, reader] = await Promise.all([
      watching(rig, talk.key, { connection: 'typist' }),
      watching(rig, talk.key, { connection: 'reader' }),
    ]);
    const typing = { type: 'typing', sub: 'alice', name: null, isTyping: true, connection: 'typist' };
    agent.publish(SUBJECTS.liveOut(talk.key), JSON.stringify(typing));
    await reader.until(isSaid('typing'));
    const presence = { type: 'presence', gateway: 'g', n: 1, came: [], went: [] };
    agent.publish(SUBJECTS.liveOut(talk.key), JSON.stringify(presence));
    await talk.post(newRun(), 'done');
    await typist.until(isSaid('message.posted'));
    expect(typist.sent.filter(isSaid('typing'))).toEqual([]);
    expect(rig.heard.presence).toContain(talk.key);
    for (const watcher of [typist, reader]) watcher.watching.stop();
  });

  it('is told once of a question whose run begins hundreds of messages later', async () => {
    const talk = newTalk();
    const run = newRun();
    const watcher = await watching(rig, talk.key);
    await talk.post(run, 'Why?', true);
    for (let count = 0; count < MANY; count += 1) await talk.post(newRun(), 'meanwhile');
    await talk.start(run);
    await talk.end(run);
    await watcher.until(isEndOf(run));
    expect(watcher.sent.filter(isSaid('message.posted', run))).toHaveLength(1);
    expect(watcher.sent.filter(isSaid('message.posted'))).toHaveLength(MANY + 1);
    watcher.watching.stop();
  });

  it('and came while a question waited, is not told of it when its run begins at last', async () => {
    const talk = newTalk();
    const run = newRun();
    await agent.append(SUBJECTS.turn(talk.key), '{}', { id: `turn-${run}` });
    await talk.post(run, 'Why?', true);
    for (let count = 0; count < MANY; count += 1) await talk.post(newRun(), 'meanwhile');
    const watcher = await watching(rig, talk.key);
    await talk.start(run);
    await talk.end(run);
    await watcher.until(isEndOf(run));
    expect(watcher.sent.filter(isSaid('message.posted'))).toEqual([]);
    watcher.watching.stop();
  });

  it('is told how a run ended when its last event was lost, from the record', async () => {
    const talk = newTalk();
    const run = newRun();
    const other = hubOn(lossy(bus, (_, data) => data.includes('run.completed')));
    const watcher = await watching(other, talk.key);
    await talk.begin(run);
    await talk.say(run, 'all of it');
    await watcher.until(({ event }) => event?.type === 'text.delta');
    await talk.end(run);
    other.skewMs = 16_000;
    other.hub.checkSilent();
    await watcher.until(isEndOf(run));
    new CarefulReader().read(watcher.sent);
    watcher.watching.stop();
  });

  it('gets a lost entry of the log before the one behind it', async () => {
    const talk = newTalk();
    const [first, lost, last] = [newRun(), newRun(), newRun()];
    const other = hubOn(lossy(bus, (_, data) => data.includes(lost)));
    const watcher = await watching(other, talk.key);
    await talk.post(first, '1');
    await talk.post(lost, '2');
    await talk.post(last, '3');
    await watcher.until(isSaid('message.posted', last));
    expect(watcher.sent.map(({ said }) => said && 'text' in said && said.text)).toEqual(['1', '2', '3']);
    watcher.watching.stop();
  });

  it('goes on behind entries of a later version that can not be read', async () => {
    const talk = newTalk();
    const last = newRun();
    const other = hubOn(lossy(bus, (_, data) => data.includes('"lost":true')));
    const watcher = await watching(other, talk.key);
    await talk.entry({ type: 'message.painted', lost: true });
    await talk.entry({ type: 'message.painted' });
    await talk.post(last, 'plain');
    await watcher.until(isSaid('message.posted', last));
    expect(watcher.sent).toHaveLength(1);
    watcher.watching.stop();
  });

  it('is admitted although EVENTS has something that is no JSON', async () => {
    const talk = newTalk();
    await agent.append(SUBJECTS.runEvents(talk.key, newRun()), 'not JSON');
    const watcher = await watching(rig, talk.key);
    const run = newRun();
    await talk.post(run, 'hello');
    await watcher.until(isSaid('message.posted', run));
    watcher.watching.stop();
  });
});

describe('somebody who stops', () => {
  it('before it was admitted is sent nothing, and leaves nothing behind', async () => {
    const talk = newTalk();
    const run = newRun();
    await talk.begin(run);
    await talk.say(run, 'secret');
    const watcher = watch(rig, talk.key, { since: { log: 0, end: 0, run: '', at: 0, marks: 0 } });
    const fresh = watch(rig, talk.key);
    // Both wait for the broker now.
    await Promise.resolve();
    watcher.watching.stop();
    fresh.watching.stop();
    await Promise.all([watcher.watching.admitted, fresh.watching.admitted]);
    for (const { sent, begun } of [watcher, fresh]) expect([sent, begun]).toEqual([[], []]);
    expect(rig.hub.find(talk.key)).toBeNull();
  });

  it('while a follower stays does not disturb whoever watches next', async () => {
    const talk = newTalk();
    const following = rig.hub.follow(talk.key, newRun(), {
      dialect: plainDialect(),
      place: { room: null, session: 'hub' },
      deliver: () => undefined,
    });
    const gone = watch(rig, talk.key);
    await Promise.resolve();
    gone.watching.stop();
    const next = watch(rig, talk.key);
    const posts = [newRun(), newRun(), newRun()];
    const said = posts.map((run) => talk.post(run, run));
    await Promise.all([next.watching.admitted, ...said]);
    const late = newRun();
    await talk.post(late, 'late');
    await next.until(isSaid('message.posted', late));
    const told = next.sent.map(({ said: one }) => (one && 'run' in one ? one.run : ''));
    // Some may have been said before it was admitted; of what came then nothing is missing.
    expect(told).toEqual([...posts, late].slice(-told.length));
    next.watching.stop();
    following.stop();
  });

  it('is left alone when it was refused in the last moment', async () => {
    const talk = newTalk();
    const watcher = watch(rig, talk.key, { ready: () => Promise.reject(new Error('no')) });
    await expect(watcher.watching.admitted).rejects.toThrow('no');
    watcher.watching.stop();
    expect([watcher.sent, watcher.begun]).toEqual([[], []]);
    expect(rig.hub.find(talk.key)).toBeNull();
  });
});

describe('a slow reader', () => {
  it('is set aside, and brought back without a gap or anything twice', async () => {
    const talk = newTalk();
    const [run, posted, later] = [newRun(), newRun(), newRun()];
    const [slow, quick] = await Promise.all([watching(rig, talk.key), watching(rig, talk.key)]);
    await talk.begin(run);
    await talk.say(run, 'one ');
    await slow.until(({ event }) => event?.type === 'text.delta');
    slow.buffered = 1_001;
    rig.hub.setAsideSlow();
    expect(rig.hub.setAside).toBe(1);
    await talk.say(run, 'two ');
    await talk.post(posted, 'meanwhile');
    await talk.say(run, 'three');
    await talk.end(run);
    await quick.until(isEndOf(run));
    slow.watching.drained();
    expect(slow.sent.filter(isSaid('message.posted', posted))).toEqual([]);
    slow.buffered = 0;
    slow.watching.drained();
    slow.watching.drained();
    await slow.until(isEndOf(run));
    await talk.post(later, 'later');
    await slow.until(isSaid('message.posted', later));
    expect(new CarefulReader().read(slow.sent).shown).toEqual(
      new CarefulReader().read(quick.sent.concat()).shown,
    );
    expect(slow.begun).toEqual([true]);
    expect(rig.hub.setAside).toBe(0);
    for (const watcher of [slow, quick]) watcher.watching.stop();
  });

  it('that missed more than can be sent is told to come back', async () => {
    const talk = newTalk();
    const slow = await watching(rig, talk.key, { missedLimit: 2 });
    const quick = await watching(rig, talk.key);
    slow.buffered = 1_001;
    await talk.post(newRun(), 'seen');
    await slow.until(isSaid('message.posted'));
    rig.hub.setAsideSlow();
    const last = newRun();
    for (const run of [newRun(), newRun(), last]) await talk.post(run, 'missed');
    await quick.until(isSaid('message.posted', last));
    slow.buffered = 0;
    slow.watching.drained();
    await expect.poll(() => slow.failed).toBe(1);
    for (const watcher of [slow, quick]) watcher.watching.stop();
  });
});

describe('what waited for somebody', () => {
  it('is marked, and the oldest of it is left out above the limit', async () => {
    const talk = newTalk();
    const { seq } = await talk.post(newRun(), 'seen');
    const posts = [newRun(), newRun(), newRun(), newRun()];
    for (const run of posts) await talk.post(run, run);
    const since = { log: seq, end: seq, run: '', at: 0, marks: 0 };
    const watcher = await watching(rig, talk.key, { since, queued: true, missedLimit: 3 });
    expect(watcher.cut).toEqual([1]);
    expect(watcher.sent.map(({ said, queued }) => [said && 'run' in said && said.run, queued])).toEqual(
      posts.slice(1).map((run) => [run, true]),
    );
    const live = newRun();
    await talk.post(live, 'live');
    await watcher.until(isSaid('message.posted', live));
    expect(watcher.sent.at(-1)?.queued).toBe(false);
    watcher.watching.stop();
  });

  it('is left out altogether when nothing may be sent', async () => {
    const talk = newTalk();
    await talk.post(newRun(), 'missed');
    const since = { log: 0, end: 0, run: '', at: 0, marks: 0 };
    const watcher = await watching(rig, talk.key, { since, queued: true, missedLimit: 0 });
    expect(watcher.cut).toEqual([1]);
    expect(watcher.sent).toEqual([]);
    watcher.watching.stop();
  });

  it('has edits in it, and never the text of what was deleted', async () => {
    const talk = newTalk();
    const [before, edited, deleted] = [newRun(), newRun(), newRun()];
    const { seq } = await talk.post(before, 'before');
    await talk.post(edited, 'first');
    await talk.post(deleted, 'secret 1');
    await talk.edit(edited, 'second');
    await talk.edit(deleted, 'secret 2');
    await talk.edit(before, 'secret 3');
    await talk.delete(before);
    await talk.delete(deleted);
    const since = { log: seq, end: seq, run: '', at: 0, marks: 0 };
    const watcher = await watching(rig, talk.key, { since });
    expect(JSON.stringify(watcher.sent)).not.toContain('secret');
    const { messages } = new CarefulReader().read(watcher.sent);
    expect(Object.fromEntries(messages)).toEqual({ [before]: null, [edited]: 'second', [deleted]: null });
    watcher.watching.stop();
  });
});

describe('a reader outside the window', () => {
  const isNew = (watcher: { begun: boolean[]; transcripts: unknown[] }) => {
    expect(watcher.begun).toEqual([false]);
    expect(watcher.transcripts).toHaveLength(1);
  };

  it('that missed too much gets the transcript, and then what comes', async () => {
    const talk = newTalk();
    const { seq } = await talk.post(newRun(), 'seen');
    for (const text of ['a', 'b', 'c', 'd']) await talk.post(newRun(), text);
    const run = newRun();
    await talk.begin(run);
    await talk.say(run, 'so far ');
    const since = { log: seq, end: seq, run: '', at: 0, marks: 0 };
    const watcher = await watching(rig, talk.key, { since, missedLimit: 3 });
    isNew(watcher);
    const texts = watcher.transcripts[0]?.messages.map(({ text }) => text);
    expect(texts).toEqual(['seen', 'a', 'b', 'c', 'd', 'Why?']);
    await talk.say(run, 'and more');
    await talk.end(run);
    await watcher.until(isEndOf(run));
    expect(textIn(watcher.sent, run)).toBe('so far and more');
    watcher.watching.stop();
  });

  it('whose cursor is from the future gets the transcript', async () => {
    const talk = newTalk();
    await talk.post(newRun(), 'all there is');
    const since = { log: 10 ** 9, end: 10 ** 9, run: '', at: 0, marks: 0 };
    const watcher = await watching(rig, talk.key, { since });
    isNew(watcher);
    watcher.watching.stop();
  });

  it('gets no text of another conversation or run by a forged position', async () => {
    const [talk, other] = [newTalk(), newTalk()];
    const secret = newRun();
    await other.begin(secret);
    await other.say(secret, 'secret');
    await other.end(secret);
    const run = newRun();
    await talk.begin(run);
    await talk.say(run, 'answer');
    await talk.end(run);
    for (const since of [
      { log: 0, end: 0, run: secret, at: 0, marks: 0 },
      { log: 0, end: 0, run, at: 10 ** 6, marks: 10 ** 6 },
      { log: 10 ** 9, end: 0, run: '', at: 0, marks: 0 },
    ]) {
      const watcher = await watching(rig, talk.key, { since });
      expect(JSON.stringify([watcher.sent, watcher.transcripts])).not.toContain('secret');
      watcher.watching.stop();
    }
  });

  it('whose records are gone gets the transcript, and one who waits for them is not held up', async () => {
    const talk = newTalk();
    const live = await watching(rig, talk.key);
    const { seq } = await talk.post(newRun(), 'seen');
    const last = newRun();
    await talk.post(last, 'gone');
    await live.until(isSaid('message.posted', last));
    await agent.internals.jsm.streams.purge(STREAMS.messages);
    const since = { log: seq, end: seq, run: '', at: 0, marks: 0 };
    const resumed = await watching(rig, talk.key, { since });
    isNew(resumed);
    const queued = await watching(rig, talk.key, { since, queued: true });
    expect([queued.begun, queued.sent]).toEqual([[true], []]);
    const next = newRun();
    await talk.post(next, 'next');
    await Promise.all([live, resumed, queued].map(({ until }) => until(isSaid('message.posted', next))));
    for (const watcher of [live, resumed, queued]) watcher.watching.stop();
  });
});

describe('when EVENTS is lost', () => {
  it('and made anew in mid-run, the text an agent says again is told once', async () => {
    const talk = newTalk();
    const run = newRun();
    const watcher = await watching(rig, talk.key);
    await talk.begin(run);
    await talk.emit(
      run,
      { type: 'agent.chosen', agent: 'specs' },
      { type: 'run.noted', text: 'one server less' },
    );
    await talk.say(run, 'before ');
    await watcher.until(({ event }) => event?.type === 'text.delta');
    await agent.internals.jsm.streams.delete(STREAMS.events);
    await ensureTopology(agent, TOPOLOGY);
    await talk.sayAgain(run);
    await talk.say(run, 'and after');
    await talk.end(run);
    await watcher.until(isEndOf(run));
    expect(textIn(watcher.sent, run)).toBe('before and after');
    new CarefulReader().read(watcher.sent);
    watcher.watching.stop();
  });

  it('by a restart of the broker, watchers miss nothing that was said meanwhile', async () => {
    const talk = newTalk();
    const [run, posted] = [newRun(), newRun()];
    const watcher = await watching(rig, talk.key);
    await talk.begin(run);
    await talk.say(run, 'before ');
    await watcher.until(({ event }) => event?.type === 'text.delta');
    await nats.kill();
    await nats.restart();
    await talk.post(posted, 'back');
    await talk.sayAgain(run);
    await talk.say(run, 'and after');
    await watcher.until(isSaid('message.posted', posted));
    await talk.end(run);
    await watcher.until(isEndOf(run));
    expect(textIn(watcher.sent, run)).toBe('before and after');
    new CarefulReader().read(watcher.sent);
    watcher.watching.stop();
  });
});
