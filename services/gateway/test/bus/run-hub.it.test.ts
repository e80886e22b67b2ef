import { conversationKey, type RunBatch, type RunEvent, SUBJECTS } from '@natter/proto';
import { Bus, createLogger, keepTopology } from '@natter/runtime';
import { type NatsServer, startNatsServer } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Follower, RunHub } from '../../src/bus/run-hub.ts';
import { METADATA, PLAIN } from '../session/rig.ts';

const log = createLogger('gateway', 'silent');
let nats: NatsServer;
/** The gateway's connection. */
let bus: Bus;
/** Of the agent, which keeps the streams. */
let agent: Bus;
let hub: RunHub;

beforeAll(async () => {
  nats = await startNatsServer();
  bus = await Bus.connect({ url: nats.url, name: 'gateway' }, log);
  agent = await Bus.connect({ url: nats.url, name: 'agent' }, log);
  await keepTopology(agent, { replicas: 1, transcriptDays: 1 }, log);
  hub = new RunHub(bus, log, Date.now);
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
  const digits = [...String(runs)].map((digit) => 'abcdefghij'[Number(digit)]);
  return { conversation: conversationKey('alice', 'hub'), run: digits.join('').padStart(26, 'z') };
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
    dialect: PLAIN,
    session: 'hub',
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

describe('RunHub', () => {
  it('delivers live events in order to every follower, encoded once for all of them', async () => {
    const run = newRun();
    let encodings = 0;
    const counting = {
      ...PLAIN,
      encodeEvent: (...args: Parameters<typeof PLAIN.encodeEvent>) => {
        encodings += 1;
        return PLAIN.encodeEvent(...args);
      },
    };
    const readers = Array.from({ length: 5 }, reader);
    const followings = readers.map(({ follower }) =>
      hub.follow(run.conversation, run.run, { ...follower, dialect: counting }),
    );
    await publish(run, { n: 1, claim: 1, events: [delta(0, 'a')] });
    await publish(run, { n: 2, claim: 1, events: [delta(1, 'b'), completed('ab')] });
    for (const { events, until } of readers) {
      await until(isEnd);
      expect(events).toEqual([delta(0, 'a'), delta(1, 'b'), completed('ab')]);
    }
    expect(encodings).toBe(3);
    for (const following of followings) following.stop();
    expect(hub.size).toBe(0);
  });

  it('reads what is missing when a batch skips a number', async () => {
    const run = newRun();
    const first = reader();
    await publish(run, { n: 1, claim: 1, events: [delta(0, 'lost ')] });
    const following = hub.follow(run.conversation, run.run, first.follower);
    await publish(run, { n: 2, claim: 1, events: [delta(5, 'found'), completed('lost found')] });
    await first.until(isEnd);
    expect(first.events).toEqual([delta(0, 'lost '), delta(5, 'found'), completed('lost found')]);
    following.stop();
  });

  it('gives a late follower on the same gateway what the early one had', async () => {
    const run = newRun();
    const early = reader();
    const one = hub.follow(run.conversation, run.run, early.follower);
    await publish(run, { n: 1, claim: 1, events: [delta(0, 'a'), delta(1, 'b')] });
    await early.until((event) => event.type === 'text.delta' && event.at === 1);
    const late = reader();
    const two = hub.follow(run.conversation, run.run, late.follower);
    expect(late.events).toEqual([delta(0, 'ab')]);
    one.stop();
    two.stop();
  });

  it('finds a run that ended before anybody followed it', async () => {
    const run = newRun();
    await publish(run, { n: 1, claim: 1, events: [delta(0, 'old'), completed('old')] });
    const late = reader();
    const following = hub.follow(run.conversation, run.run, late.follower);
    following.repair();
    await late.until(isEnd);
    expect(late.events).toEqual([delta(0, 'old'), completed('old')]);
    following.stop();
  });

  it('learns the end from the transcript when the broker has forgotten the events', async () => {
    const run = newRun();
    const one = reader();
    const following = hub.follow(run.conversation, run.run, one.follower);
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
    await agent.append(SUBJECTS.message(run.conversation, run.run, 'assistant'), JSON.stringify(message), {
      expectLast: 0,
    });
    await nats.kill();
    await nats.restart();
    await one.until(isEnd);
    expect(one.events).toEqual([delta(0, 'all of '), delta(7, 'it'), completed('all of it')]);
    following.stop();
  });

  it('goes on after the broker was away, with the text an agent says again', async () => {
    const run = newRun();
    const one = reader();
    const following = hub.follow(run.conversation, run.run, one.follower);
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

  it('bears a batch that is no JSON and goes on', async () => {
    const run = newRun();
    const one = reader();
    const following = hub.follow(run.conversation, run.run, one.follower);
    await agent.append(SUBJECTS.runEvents(run.conversation, run.run), 'not JSON', { id: 'garbage' });
    await publish(run, { n: 1, claim: 1, events: [completed('fine')] });
    await one.until(isEnd);
    expect(one.events.at(-1)).toEqual(completed('fine'));
    following.stop();
  });
});
