/** Fifty people in one room on two gateways, one of which is killed while the AI answers. */
import { type Frame, type Stack, startStack } from '@natter/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { roomsV1 } from '../src/chat-wires.ts';
import { randomFrom, seedOfRun } from '../src/random.ts';
import { reportFailures } from '../src/report-failures.ts';
import { ResumingClient } from '../src/resuming-client.ts';
import { createRoom, readMessages } from '../src/rooms-http.ts';

const PEOPLE = 50;
const ROOM = 'the fifty';
const QUESTION = `@ai ${Array.from({ length: 40 }, (_, at) => `word${at}`).join(' ')}`;

const seed = seedOfRun();
const random = randomFrom(seed);

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({
    gateways: 2,
    agents: 2,
    demo: { answer: 'echo', tokensPerSecond: 15, firstTokenMs: 0 },
    env: { WS_RATE_LIMIT_REQUESTS: '10000' },
  });
});
afterAll(() => stack?.stop());
reportFailures(() => stack);

/** One of the fifty: says things until they are confirmed, on whatever gateway. */
class Person {
  readonly client: ResumingClient;
  readonly own = new Map<string, string>();

  constructor(token: string) {
    this.client = new ResumingClient(roomsV1, { token, room: ROOM });
  }

  say(text: string): void {
    const messageId = `${this.own.size}`;
    this.own.set(messageId, text);
    this.client.ask(text, messageId);
  }

  /** Says again what may not have been taken. */
  repeat(): void {
    for (const [messageId, text] of this.own)
      if (!this.client.confirmed.has(messageId)) this.client.ask(text, messageId);
  }

  get isDone(): boolean {
    const { heard, ended, confirmed } = this.client;
    const hasLast = heard.some(({ text }) => text === 'Good night');
    return hasLast && ended.length === 1 && confirmed.size === this.own.size;
  }

  /** All that was said and answered, by bus-wide id: a sender isn't told where its own messages stand. */
  transcript(): string {
    const { heard, answers, confirmed } = this.client;
    // A message whose confirmation was lost comes back when its sender resumes.
    const messages = new Map(heard.map(({ id, text }) => [id, text]));
    for (const [messageId, text] of this.own) messages.set(confirmed.get(messageId) ?? null, text);
    return transcriptOf(
      [...messages].map(([id, text]) => ({ id, text })),
      answers.map(({ run, text, status }) => ({ id: run, text, status })),
    );
  }
}

interface Entry {
  id: string | null;
  text: string;
  status?: string | null;
}

function transcriptOf(messages: Entry[], answers: Entry[]): string {
  const sorted = messages.toSorted((one, other) => ((one.id ?? '') < (other.id ?? '') ? -1 : 1));
  return JSON.stringify({ messages: sorted, answers }, null, 1);
}

it(`[rooms/fifty] [resume/gateway-killed] [rooms/everybody-sees] killed with -9 in mid-answer: all fifty end with the same transcript, byte for byte (NATTER_TEST_SEED=${seed})`, async () => {
  const tokens = await Promise.all(
    Array.from({ length: PEOPLE }, (_, at) => stack.token({ sub: `person ${at}` })),
  );
  const [first = ''] = tokens;
  await createRoom(stack.httpUrl(), first, { room_id: ROOM, room_type: 'shared', ai: 'mention' });
  const people = tokens.map((token) => new Person(token));
  await Promise.all(people.map(({ client }, at) => client.open(stack.url(at % 2))));
  // All are there before anything is said: whoever joins later isn't owed what came before.
  await Promise.all(
    people.map(({ client }) =>
      client.until(() => client.probe.frames.some(({ type }) => type === 'join_room')),
    ),
  );
  const on = (gateway: number) => people.filter((_, at) => at % 2 === gateway);
  const chatters = [...on(0).slice(1, 4), ...on(1).slice(1, 4)];
  const [asker] = on(0);
  asker?.say(QUESTION);

  await Promise.all(
    people.map(async (person) => {
      const { client } = person;
      for (let length = 0; client.underway.length < 60; length = client.underway.length) {
        await client.until(() => client.underway.length > length);
        if (chatters.includes(person) && random.next() < 0.3)
          person.say(`At ${length} of ${client.visit.room}`);
      }
    }),
  );
  for (const chatter of chatters) chatter.say('Whose gateway is it?');
  await stack.gateways[0]?.kill();
  await Promise.all(
    on(0).map(async (person) => {
      await person.client.lost();
      await person.client.open(stack.url(1));
      person.repeat();
    }),
  );
  for (const chatter of chatters) chatter.say('What a night');
  await Promise.all(people.map(({ client }) => client.until(() => client.ended.length === 1)));
  await Promise.all(
    chatters.map((person) => person.client.until(() => person.client.confirmed.size === person.own.size)),
  );
  const last = people.at(-1);
  last?.say('Good night');
  const everybody = people.filter((person) => person !== last);
  await Promise.all(everybody.map((person) => person.client.until(() => person.isDone)));
  await last?.client.until(() => last.client.confirmed.size === 1);

  const stored: Frame[] = await readMessages(stack.httpUrl(1), first, ROOM);
  const of = (role: string) => stored.filter((message) => message.role === role);
  const expected = transcriptOf(
    of('user').map(({ id, content }) => ({ id, text: content })),
    of('assistant').map(({ id, content, status }) => ({ id, text: content, status })),
  );
  expect(of('assistant').map(({ content }) => content)).toEqual([`Echo: ${QUESTION}`]);
  for (const person of people) {
    expect(person.client.faults).toEqual([]);
    expect(person.transcript()).toBe(expected);
    // What others said came in the order of the transcript.
    const { heard, confirmed } = person.client;
    const own = new Set(confirmed.values());
    const others = of('user').filter(({ id }) => !own.has(id));
    const heardOf = heard.filter(({ id }) => id !== null && !own.has(id));
    expect(heardOf.map(({ id }) => id)).toEqual(others.map(({ id }) => id));
  }
  await Promise.all(people.map(({ client }) => client.close()));
});
