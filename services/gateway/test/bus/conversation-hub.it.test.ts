import { conversationKey, type RunBatch, type RunEvent, SUBJECTS } from '@natter/proto';
import { Bus, createLogger, keepTopology } from '@natter/runtime';
import { type NatsServer, startNatsServer } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Follower } from '../../src/bus/conversation-hub.ts';
import { plainDialect } from '../plain-dialect.ts';
import { type HubRig, hubOn, METADATA, runOf, Talk, watching } from './hub-rig.ts';

const log = createLogger('gateway', 'silent');
let nats: NatsServer;
/** The gateway's connection. */
let bus: Bus;
/** Of the agent, which keeps the streams. */
let agent: Bus;
let rig: HubRig;

beforeAll(async () => {
  nats = await startNatsServer();
  bus = await Bus.connect({ url: nats.url, name: 'gateway' }, log);
  agent = await Bus.connect({ url: nats.url, name: 'agent' }, log);
  await keepTopology(agent, { replicas: 1, transcriptDays: 1 }, log);
  rig = hubOn(bus);
});

afterAll(async () => {
  await bus.close();
  await agent.close();
  await nats.stop();
});

const delta = (at: number, text: string): RunEvent => ({ type: 'text.delta', at, text });
const completed = (text: string): RunEvent => ({ type: 'run.completed', text, metadata: METADATA });

let runs = 0;
function newRun() {
  runs += 1;
  return { conversation: conversationKey('alice', `hub${runs}`), run: runOf(runs) };
}

type Run = ReturnType<typeof newRun>;

/** On the gateway's own connection, where the broker has seen the subscription before. */
const publish = (run: Run, batch: RunBatch) =>
  bus.append(SUBJECTS.runEvents(run.conversation, run.run), JSON.stringify(batch), {
    id: `${run.run}${batch.n}`,
  });

function reader() {
  const events: RunEvent[] = [];
  const waiting: (() => void)[] = [];
  const follower: Follower = {
    dialect: plainDialect(),
    place: { room: null, session: 'hub' },
    deliver: (event) => {
      events.push(event);
      for (const look of waiting.splice(0)) look();
    },
  };
  const until = async (done: (event: RunEvent) => boolean) => {
    while (!events.some(done)) await new Promise<void>((resolve) => waiting.push(resolve));
  };
  return { events, follower, until };
}

const isEnd = ({ type }: RunEvent) => type === 'run.completed' || type === 'run.failed';

describe('followers of a run', () => {
  it('get live events in order, encoded once for all of them', async () => {
    const run = newRun();
    let encodings = 0;
    const plain = plainDialect();
    const counting = {
      ...plain,
      encodeEvent: (...args: Parameters<typeof plain.encodeEvent>) => {
        encodings += 1;
        return plain.encodeEvent(...args);
      },
    };
    const readers = Array.from({ length: 5 }, reader);
    const followings = readers.map(({ follower }) =>
      rig.hub.follow(run.conversation, run.run, { ...follower, dialect: counting }),
    );
    await publish(run, { n: 1, claim: 1, events: [delta(0, 'a')] });
    await publish(run, { n: 2, claim: 1, events: [delta(1, 'b'), completed('ab')] });
    for (const { events, until } of readers) {
      await until(isEnd);
      expect(events).toEqual([delta(0, 'a'), delta(1, 'b'), completed('ab')]);
    }
    expect(encodings).toBe(3);
    for (const following of followings) following.stop();
    expect(rig.hub.size).toBe(0);
    expect(rig.hub.find(run.conversation)).toBeNull();
  });

  it('get what is missing when a batch skips a number', async () => {
    const run = newRun();
    const first = reader();
    await publish(run, { n: 1, claim: 1, events: [delta(0, 'lost ')] });
    const following = rig.hub.follow(run.conversation, run.run, first.follower);
    await publish(run, { n: 2, claim: 1, events: [delta(5, 'found'), completed('lost found')] });
    await first.until(isEnd);
    expect(first.events).toEqual([delta(0, 'lost '), delta(5, 'found'), completed('lost found')]);
    following.stop();
  });

  it('that come late get what the early ones had', async () => {
    const run = newRun();
    const early = reader();
    const one = rig.hub.follow(run.conversation, run.run, early.follower);
    await publish(run, { n: 1, claim: 1, events: [delta(0, 'a'), delta(1, 'b')] });
    await early.until((event) => event.type === 'text.delta' && event.at === 1);
    const late = reader();
    const two = rig.hub.follow(run.conversation, run.run, late.follower);
    expect(late.events).toEqual([delta(0, 'ab')]);
    one.stop();
    two.stop();
  });

  it('find a run that ended before', async () => {
    const run = newRun();
    await publish(run, { n: 1, claim: 1, events: [delta(0, 'old'), completed('old')] });
    const late = reader();
    const following = rig.hub.follow(run.conversation, run.run, late.follower);
    following.repair();
    await late.until(isEnd);
    expect(late.events).toEqual([delta(0, 'old'), completed('old')]);
    following.stop();
  });

  it('get an answer again that those who watch are not told again', async () => {
    const talk = new Talk(agent, conversationKey('alice', 'again'));
    const run = runOf(9_001);
    const watcher = await watching(rig, talk.key);
    await talk.begin(run);
    await talk.say(run, 'because');
    await talk.end(run);
    await watcher.until(({ event }) => event?.type === 'run.completed');
    const told = watcher.sent.length;
    const again = reader();
    const following = rig.hub.follow(talk.key, run, again.follower);
    following.repair();
    await again.until(isEnd);
    expect(again.events.filter(isEnd)).toHaveLength(1);
    following.stop();
    await talk.read(run);
    await watcher.until(({ said }) => said?.type === 'message.read');
    expect(watcher.sent).toHaveLength(told + 1);
    watcher.watching.stop();
  });

  it('learn the end from the transcript when the broker has forgotten the events', async () => {
    const run = newRun();
    const one = reader();
    const following = rig.hub.follow(run.conversation, run.run, one.follower);
    await publish(run, { n: 1, claim: 1, events: [delta(0, 'all of ')] });
    await one.until((event) => event.type === 'text.delta');
    const message = {
      role: 'assistant',
      status: 'completed',
      run: run.run,
      text: 'all of it',
      metadata: METADATA,
      at: 1,
    };
    await agent.append(SUBJECTS.runEnd(run.conversation, run.run), JSON.stringify(message), {
      expectLast: 0,
    });
    await nats.kill();
    await nats.restart();
    await one.until(isEnd);
    expect(one.events).toEqual([delta(0, 'all of '), delta(7, 'it'), completed('all of it')]);
    following.stop();
  });

  it('go on after the broker was away, with the text an agent says again', async () => {
    const run = newRun();
    const one = reader();
    const following = rig.hub.follow(run.conversation, run.run, one.follower);
    await publish(run, { n: 1, claim: 1, events: [delta(0, 'before ')] });
    await one.until((event) => event.type === 'text.delta');
    await nats.kill();
    await nats.restart();
    await publish(run, { n: 2, claim: 1, events: [delta(0, 'before and after')] });
    await publish(run, { n: 3, claim: 1, events: [completed('before and after')] });
    await one.until(isEnd);
    expect(one.events).toEqual([delta(0, 'before '), delta(7, 'and after'), completed('before and after')]);
    following.stop();
  });

  it('bear a batch that is no JSON and go on', async () => {
    const run = newRun();
    const one = reader();
    const following = rig.hub.follow(run.conversation, run.run, one.follower);
    await agent.append(SUBJECTS.runEvents(run.conversation, run.run), 'not JSON', { id: 'garbage' });
    await publish(run, { n: 1, claim: 1, events: [completed('fine')] });
    await one.until(isEnd);
    expect(one.events.at(-1)).toEqual(completed('fine'));
    following.stop();
  });

  it('whose question was refused leave no run behind for those who watch', async () => {
    const run = newRun();
    const watcher = await watching(rig, run.conversation);
    const following = rig.hub.follow(run.conversation, run.run, reader().follower);
    expect(rig.hub.size).toBe(1);
    following.stop();
    expect(rig.hub.size).toBe(0);
    watcher.watching.stop();
  });
});
