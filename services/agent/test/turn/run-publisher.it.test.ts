import { type RunEvent, SUBJECTS } from '@natter/proto';
import type { Bus } from '@natter/runtime';
import { type NatsServer, startNatsServer } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PublishRounds } from '../../src/turn/publish-rounds.ts';
import { readPublished, takeOver } from '../../src/turn/published.ts';
import { RunLost, RunPublisher } from '../../src/turn/run-publisher.ts';
import { batchesOf, connectBus, newTurn, textOf } from './agent-under-test.ts';
import { METADATA } from './scripted-orchestrator.ts';

let nats: NatsServer;
let bus: Bus;

beforeAll(async () => {
  nats = await startNatsServer();
  bus = await connectBus(nats.url);
});

afterAll(async () => {
  await bus.close();
  await nats.stop();
});

const STARTED = {
  type: 'run.started',
  messageId: 'm',
  sub: 'alice',
  name: null,
  text: 'x',
  askedAt: 1,
} as const;
const end = (text: string): RunEvent => ({ type: 'run.completed', text, metadata: METADATA });
const subjectOf = (turn: { conversation: string; run: string }) =>
  SUBJECTS.runEvents(turn.conversation, turn.run);

async function publisherFor(turn: { conversation: string; run: string }, claim = 1, isOurs = true) {
  const published = await readPublished(bus, subjectOf(turn));
  const signal = new AbortController().signal;
  return new RunPublisher({
    bus,
    subject: subjectOf(turn),
    claim,
    published,
    isOurs: async () => isOurs,
    signal,
    rounds: new PublishRounds(),
  });
}

describe('RunPublisher', () => {
  it('merges what arrives while a publish is in flight, and loses nothing', async () => {
    const turn = newTurn('x');
    const publisher = await publisherFor(turn);
    const words = Array.from({ length: 500 }, (_, index) => `w${index} `);
    publisher.emit({ type: 'step.started', step: 'starting' });
    for (const word of words) publisher.append(word);
    await publisher.end(end(words.join('')) as never, 1);
    const batches = await batchesOf(bus, turn);
    expect(batches.length).toBeLessThan(10);
    expect(batches.map(({ n }) => n)).toEqual(batches.map((_, index) => index + 1));
    expect(textOf(batches.flatMap(({ events }) => events))).toBe(words.join(''));
    expect(batches.at(-1)?.events).toEqual([end(words.join(''))]);
  });

  it('sends the two halves of a surrogate pair together', async () => {
    const turn = newTurn('x');
    const publisher = await publisherFor(turn);
    for (const unit of 'a\u{1f527}b'.split('')) {
      publisher.append(unit);
      await publisher.flush();
    }
    const texts = (await batchesOf(bus, turn))
      .flatMap(({ events }) => events)
      .map((event) => textOf([event]));
    expect(texts).toEqual(['a', '\u{1f527}', 'b']);
  });

  it('publishes a step once, whatever an earlier attempt said', async () => {
    const turn = newTurn('x');
    const first = await publisherFor(turn);
    first.emit({ type: 'step.started', step: 'starting' });
    first.emit({ type: 'step.started', step: 'starting' });
    await first.flush();
    const second = await publisherFor(turn);
    second.emit({ type: 'step.started', step: 'starting' });
    second.emit({ type: 'step.started', step: 'generating' });
    await second.flush();
    const events = (await batchesOf(bus, turn)).flatMap((batch) => batch.events);
    expect(events.map((event) => event.type === 'step.started' && event.step)).toEqual([
      'starting',
      'generating',
    ]);
  });

  it('is refused by the broker once another agent has taken the run over', async () => {
    const turn = newTurn('x');
    const first = await publisherFor(turn);
    first.append('Hello ');
    await first.flush();
    const published = await takeOver(bus, subjectOf(turn), 2, STARTED);
    expect(published.text).toBe('Hello ');
    first.append('late');
    await expect(first.flush()).rejects.toBeInstanceOf(RunLost);
    const events = (await batchesOf(bus, turn)).flatMap((batch) => batch.events);
    expect(textOf(events)).toBe('Hello ');
    expect(events.at(-1)).toEqual({ type: 'run.resumed', at: 6 });
  });

  it('takes what the earlier agent said last into account when it takes over', async () => {
    const turn = newTurn('x');
    const first = await publisherFor(turn);
    first.append('a');
    const [published] = await Promise.all([
      takeOver(bus, subjectOf(turn), 2, STARTED),
      first.flush().catch(() => undefined),
    ]);
    const before = (await batchesOf(bus, turn)).flatMap(({ events }) => events);
    const resumedAt = before.findIndex(({ type }) => type === 'run.resumed');
    expect(published.text).toBe(textOf(before.slice(0, resumedAt)));
    expect(textOf(before.slice(resumedAt))).toBe('');
  });

  it('begins with who asked when the earlier agent died before it said so', async () => {
    const turn = newTurn('x');
    const published = await takeOver(bus, subjectOf(turn), 2, STARTED);
    expect(published.marks.all()).toEqual([STARTED]);
    await takeOver(bus, subjectOf(turn), 3, STARTED);
    const events = (await batchesOf(bus, turn)).flatMap((batch) => batch.events);
    expect(events).toEqual([STARTED, { type: 'run.resumed', at: 0 }, { type: 'run.resumed', at: 0 }]);
  });

  it('starts over with all of its text when the broker has forgotten the events', async () => {
    const turn = newTurn('x');
    const publisher = await publisherFor(turn);
    publisher.emit({ type: 'step.started', step: 'starting' });
    publisher.append('Before ');
    await publisher.flush();
    await nats.kill();
    await nats.restart();
    publisher.append('and after.');
    await publisher.end(end('Before and after.') as never, 1);
    const events = (await batchesOf(bus, turn)).flatMap((batch) => batch.events);
    expect(events[0]).toEqual({ type: 'step.started', step: 'starting' });
    expect(textOf(events)).toBe('Before and after.');
    expect(events.filter(({ type }) => type === 'run.completed')).toHaveLength(1);
  });

  it('tells again who asked, which agent answers and what was noted, before the text it starts over with', async () => {
    const turn = newTurn('x');
    const publisher = await publisherFor(turn);
    const told = [
      STARTED,
      { type: 'step.started', step: 'starting' },
      { type: 'run.noted', text: 'a note' },
      { type: 'step.started', step: 'agent_routing' },
      { type: 'agent.chosen', agent: 'specs' },
    ] as const;
    for (const event of [...told, ...told]) publisher.emit(event);
    publisher.append('Before ');
    await publisher.flush();
    const before = (await batchesOf(bus, turn)).flatMap(({ events }) => events);
    expect(before).toEqual([...told, { type: 'text.delta', at: 0, text: 'Before ' }]);
    await nats.kill();
    await nats.restart();
    publisher.emit({ type: 'run.noted', text: 'another note' });
    await publisher.flush();
    const after = (await batchesOf(bus, turn)).flatMap(({ events }) => events);
    expect(after).toEqual([
      ...told,
      { type: 'run.noted', text: 'another note' },
      { type: 'text.delta', at: 0, text: 'Before ' },
    ]);
  });

  it('stops when the broker has forgotten the events and the registry says the run is lost', async () => {
    const turn = newTurn('x');
    const publisher = await publisherFor(turn, 1, false);
    publisher.append('Before ');
    await publisher.flush();
    await nats.kill();
    await nats.restart();
    publisher.append('after');
    await expect(publisher.flush()).rejects.toBeInstanceOf(RunLost);
  });
});
