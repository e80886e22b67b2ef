/** From every cursor that a reader was ever given, they get exactly the rest, on any gateway. */
import { conversationKey } from '@natter/proto';
import { Bus, createLogger, ensureTopology } from '@natter/runtime';
import { type NatsServer, startNatsServer } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CarefulReader } from './careful-reader.ts';
import {
  type HubRig,
  hubOn,
  isEndOf,
  isSaid,
  lossy,
  positionIn,
  runOf,
  type Sent,
  Talk,
  type Watcher,
  watching,
} from './hub-rig.ts';

const log = createLogger('gateway', 'silent');
let nats: NatsServer;
let agent: Bus;
/** Of two gateways. */
let bus: Bus;
let otherBus: Bus;
let rig: HubRig;

beforeAll(async () => {
  nats = await startNatsServer();
  agent = await Bus.connect({ url: nats.url, name: 'agent' }, log);
  bus = await Bus.connect({ url: nats.url, name: 'gateway' }, log);
  otherBus = await Bus.connect({ url: nats.url, name: 'gateway' }, log);
  await ensureTopology(agent, { replicas: 1, transcriptDays: 1 });
  rig = hubOn(bus);
});

afterAll(async () => {
  for (const one of [agent, bus, otherBus]) await one.close();
  await nats.stop();
});

let talks = 0;
const newTalk = () => new Talk(agent, conversationKey('alice', `resumed ${++talks}`));

const [HELLO, ASKED, TYPO, CANCELLED, LAST, EARLY] = [1, 2, 3, 4, 5, 12].map(runOf) as [
  string,
  string,
  string,
  string,
  string,
  string,
];

/** What happens, step by step; each step is one publish, or two for a question. */
function story(talk: Talk): (() => Promise<unknown>)[] {
  return [
    () => talk.post(HELLO, 'hello'),
    () => talk.begin(ASKED),
    () => talk.emit(ASKED, { type: 'step.started', step: 'starting' }),
    () => talk.say(ASKED, 'It '),
    () => talk.post(TYPO, 'tihs'),
    () => talk.emit(ASKED, { type: 'tool.called', tool: 'clock', result: '12' }),
    () => talk.say(ASKED, 'is '),
    () => talk.edit(TYPO, 'this'),
    () => talk.say(ASKED, 'noon.'),
    () => talk.end(ASKED),
    () => talk.delete(HELLO),
    () => talk.read(TYPO),
    () => talk.begin(CANCELLED),
    () => talk.say(CANCELLED, 'Well'),
    () => talk.entry({ type: 'run.cancel_requested', run: CANCELLED, by: 'alice', at: 1 }),
    () => talk.end(CANCELLED, 'cancelled'),
    // Its entry in the log comes later than the first word of its run.
    () => talk.start(EARLY),
    () => talk.post(EARLY, 'Why?', true),
    () => talk.say(EARLY, 'As I said'),
    () => talk.end(EARLY),
    () => talk.begin(LAST),
    () => talk.say(LAST, 'So '),
    () => talk.say(LAST, 'it is'),
    () => talk.end(LAST),
  ];
}

/** Tells a story to one who watches, and returns what they were sent. */
async function told(talk: Talk): Promise<Sent[]> {
  const watcher = await watching(rig, talk.key);
  for (const step of story(talk)) await step();
  await watcher.until(isEndOf(LAST));
  watcher.watching.stop();
  return watcher.sent;
}

/** Whoever has seen the beginning and resumed has what the others have. */
function expectRest(before: readonly Sent[], after: readonly Sent[], all: readonly Sent[]): void {
  const resumed = new CarefulReader().read(before).read(after);
  expect(resumed.shown).toEqual(new CarefulReader().read(all).shown);
}

describe('a reader who resumes', () => {
  it('after it is over, gets exactly the rest from every frame, where nobody has watched', async () => {
    const talk = newTalk();
    const all = await told(talk);
    expect(all.length).toBeGreaterThan(18);
    for (let seen = 1; seen <= all.length; seen += 1) {
      const other = hubOn(otherBus);
      const since = positionIn(all[seen - 1] ?? {});
      const reader = await watching(other, talk.key, { since });
      expect(reader.begun, `behind frame ${seen}`).toEqual([true]);
      expectRest(all.slice(0, seen), reader.sent, all);
      reader.watching.stop();
    }
  });

  it('twice, gets exactly the rest from every frame of what was replayed', async () => {
    const talk = newTalk();
    const all = await told(talk);
    for (const seen of [1, 4, 9]) {
      const other = hubOn(otherBus);
      const first = await watching(other, talk.key, { since: positionIn(all[seen - 1] ?? {}) });
      for (let more = 1; more <= first.sent.length; more += 1) {
        const since = positionIn(first.sent[more - 1] ?? {});
        const second = await watching(other, talk.key, { since });
        expectRest([...all.slice(0, seen), ...first.sent.slice(0, more)], second.sent, all);
        second.watching.stop();
      }
      first.watching.stop();
    }
  });

  it('in the middle of anything, gets the rest and then what comes, on both gateways', async () => {
    const talk = newTalk();
    const watcher = await watching(rig, talk.key);
    const other = hubOn(otherBus);
    const resumed: { seen: number; reader: Watcher }[] = [];
    for (const step of story(talk)) {
      await step();
      // From wherever the reader is just now: behind, level, or ahead of what the other one has heard.
      const seen = watcher.sent.length;
      if (seen === 0) continue;
      const since = positionIn(watcher.sent[seen - 1] ?? {});
      for (const hub of [rig, other])
        resumed.push({ seen, reader: await watching(hub, talk.key, { since }) });
    }
    await watcher.until(isEndOf(LAST));
    // On a busy machine the last event may be there before its append has returned: whoever resumes
    // behind it has nothing more to get.
    const ended = watcher.sent.findIndex(isEndOf(LAST));
    const waiting = resumed.filter(({ seen }) => seen <= ended);
    await Promise.all(waiting.map(({ reader }) => reader.until(isEndOf(LAST))));
    for (const { seen, reader } of resumed) {
      expect(reader.begun).toEqual([true]);
      expectRest(watcher.sent.slice(0, seen), reader.sent, watcher.sent);
      reader.watching.stop();
    }
    watcher.watching.stop();
  });

  it('on a gateway that hears each run first from its middle, is told everything once', async () => {
    const talk = newTalk();
    const run = runOf(6);
    const watcher = await watching(rig, talk.key);
    await talk.begin(run);
    const parts = Array.from({ length: 30 }, (_, at) => `part ${at} `);
    const saying = (async () => {
      for (const part of parts) await talk.say(run, part);
      await talk.end(run);
    })();
    const readers: { seen: number; reader: Promise<Watcher> }[] = [];
    // A gateway of its own for each, which begins to listen while the agent goes on.
    for (let seen = 2; seen < 20; seen += 3) {
      await expect.poll(() => watcher.sent.length, { interval: 1 }).toBeGreaterThanOrEqual(seen);
      const since = positionIn(watcher.sent[seen - 1] ?? {});
      readers.push({ seen, reader: watching(hubOn(otherBus), talk.key, { since }) });
    }
    await saying;
    await watcher.until(isEndOf(run));
    for (const { seen, reader } of readers) {
      const one = await reader;
      await one.until(isEndOf(run));
      expectRest(watcher.sent.slice(0, seen), one.sent, watcher.sent);
      one.watching.stop();
    }
    watcher.watching.stop();
  });

  it('on a gateway that lags behind, is not told again what the other one told', async () => {
    const talk = newTalk();
    const run = runOf(7);
    let isSlow = true;
    const held: (() => void)[] = [];
    const lagging = hubOn(
      delayed(otherBus, (deliver) => {
        if (isSlow) held.push(deliver);
        else deliver();
      }),
    );
    const [watcher, early] = await Promise.all([watching(rig, talk.key), watching(lagging, talk.key)]);
    await talk.begin(run);
    await talk.say(run, 'one ');
    await talk.say(run, 'two ');
    await watcher.until(({ event }) => event?.type === 'text.delta' && event.text === 'two ');
    const seen = watcher.sent.length;
    const resuming = watching(lagging, talk.key, { since: positionIn(watcher.sent.at(-1) ?? {}) });
    await talk.post(runOf(8), 'meanwhile');
    isSlow = false;
    for (const deliver of held) deliver();
    const reader = await resuming;
    await talk.say(run, 'three');
    await talk.end(run);
    await Promise.all([watcher, reader].map(({ until }) => until(isEndOf(run))));
    expectRest(watcher.sent.slice(0, seen), reader.sent, watcher.sent);
    for (const one of [watcher, early, reader]) one.watching.stop();
  });

  it('gets what the gateway itself has missed, in order', async () => {
    const talk = newTalk();
    const [lost, found] = [runOf(9), runOf(10)];
    const other = hubOn(lossy(otherBus, (_, data) => data.includes(lost)));
    const early = await watching(other, talk.key);
    const { seq } = await talk.post(runOf(11), 'seen');
    await talk.post(lost, 'lost');
    await talk.post(found, 'found');
    const since = { log: seq, end: seq, run: '', at: 0, marks: 0 };
    const reader = await watching(other, talk.key, { since });
    await Promise.all([early, reader].map(({ until }) => until(isSaid('message.posted', found))));
    expect([...new CarefulReader().read(reader.sent).messages.values()]).toEqual(['lost', 'found']);
    for (const one of [early, reader]) one.watching.stop();
  });
});

/** A bus whose messages come when the test says so. */
function delayed(from: Bus, arrive: (deliver: () => void) => void): Bus {
  const part: Pick<Bus, 'stored' | 'streamState' | 'onDisconnect' | 'onReconnect' | 'subscribe'> = {
    stored: from.stored,
    streamState: (name) => from.streamState(name),
    onDisconnect: (callback) => from.onDisconnect(callback),
    onReconnect: (callback) => from.onReconnect(callback),
    subscribe: (subject, handler) => from.subscribe(subject, (message) => arrive(() => handler(message))),
  };
  return part as Bus;
}
