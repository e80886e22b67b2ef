/** Random interleavings of frames, lost connections and resumes: what must hold whatever happens. */
import { type Frame, type Stack, startStack } from '@natter/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CHAT_WIRES, roomsV1 } from '../src/chat-wires.ts';
import { type Random, randomFrom, seedOfRun } from '../src/random.ts';
import { reportFailures } from '../src/report-failures.ts';
import { ResumingClient } from '../src/resuming-client.ts';
import { createRoom, readMessages } from '../src/rooms-http.ts';

const STEPS = 400;
/** Steps stop then, so that a slow machine does fewer. */
const STEPPING_MS = 25_000;
/** Unanswered questions of one place. */
const OPEN_QUESTIONS = 4;

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({
    gateways: 2,
    agents: 2,
    demo: { answer: 'echo', tokensPerSecond: 80, firstTokenMs: 0 },
    env: { WS_RATE_LIMIT_REQUESTS: '100000', NATTER_SESSION_RATE_LIMIT: '100000' },
  });
});
afterAll(() => stack?.stop());
reportFailures(() => stack);

/** A room or a conversation, watched from all four wires since before anything was said there. */
interface Place {
  name: string;
  clients: ResumingClient[];
  asked: number;
}

async function openPlace(name: string, visit: { room?: string; conversation?: string }): Promise<Place> {
  const inRoom = visit.room !== undefined;
  const clients = await Promise.all(
    CHAT_WIRES.map(async (wire) => {
      // A conversation has one owner; in the room each is somebody else.
      const token = await stack.token({ sub: inRoom ? `of ${wire.name}` : `owner of ${name}` });
      const client = new ResumingClient(wire, { token, ...visit });
      await client.open(stack.url(0));
      return client;
    }),
  );
  const place = { name, clients, asked: 0 };
  // Not all wires say when they are there: the first answers tell. What was answered before doesn't count.
  while (clients.some(({ ended }) => ended.length === 0)) {
    for (const client of clients) client.ask(`Hello ${place.asked}`, `hello ${place.asked++}`);
    const [first] = clients;
    await first?.until(() => first.ended.length >= place.asked);
    for (const client of clients) await client.readRest();
  }
  return place;
}

/** One thing that a client may do or that may happen to it. */
async function step(place: Place, random: Random, number: number): Promise<void> {
  const client = random.pick(place.clients);
  const chance = random.next();
  const { visit, wire } = client;
  const where = { room_id: visit.room, data: { conversation_id: visit.conversation } };
  if (chance < 0.3) {
    const open = place.asked - Math.min(...place.clients.map(({ ended }) => ended.length));
    if (open >= OPEN_QUESTIONS) return client.readRest();
    place.asked += 1;
    client.ask(`Question ${number} ${'and so on '.repeat(random.between(0, 12))}`, `step ${number}`);
  } else if (chance < 0.6) {
    // Some of what has come was read, and the rest is lost.
    for (let count = random.between(0, 30); count > 0 && client.unread > 0; count -= 1)
      await client.frames(1);
    await client.cut();
    await client.open(stack.url(random.between(0, 1)));
  } else if (chance < 0.68) {
    if (wire.name !== 'fastchat-v1') client.cancel();
  } else if (chance < 0.74 && wire === roomsV1) {
    const on_busy = random.pick(['queue', 'reject', 'interrupt']);
    client.probe.send({ type: 'set_on_busy', data: { on_busy } });
  } else if (chance < 0.8 && wire === roomsV1) {
    client.probe.send({ ...where, type: 'typing', data: { ...where.data, is_typing: random.next() < 0.5 } });
  } else if (chance < 0.86 && wire === roomsV1) {
    const own = [...client.confirmed.keys()];
    const message_id = own.length === 0 ? 'none' : random.pick(own);
    client.probe.send({
      ...where,
      type: 'edit_message',
      data: { ...where.data, message_id, message: `Edited at ${number}` },
    });
  } else {
    for (const one of place.clients) await one.readRest();
    await client.frames(Math.min(client.unread, 1));
  }
}

/** Somebody who comes and goes: joining is no resuming, an answer under way begins anew. */
async function wander(wanderer: ResumingClient, room: string, random: Random): Promise<void> {
  const frames = wanderer.probe.frames;
  const isJoining = random.next() < 0.5;
  const type = isJoining ? 'join_room' : 'leave_room';
  const before = frames.filter((frame) => frame.type === type).length;
  wanderer.probe.send({ type, data: { room_id: room } });
  await wanderer.until(() => frames.filter((frame) => frame.type === type).length > before || !isJoining);
  if (isJoining) return;
  wanderer.probe.send({ type: 'ping' });
  const pongs = frames.filter((frame) => frame.type === 'pong').length;
  await wanderer.until(() => frames.filter((frame) => frame.type === 'pong').length > pongs);
  wanderer.forgetUnfinished();
}

const seed = seedOfRun();

it(`[property/deltas] [property/accumulations] [property/one-end] [wires/one-terminal-frame] holds for NATTER_TEST_SEED=${seed}`, async () => {
  const random = randomFrom(seed);
  const room = 'of the property';
  const keeper = await stack.token({ sub: 'keeper' });
  await createRoom(stack.httpUrl(), keeper, { room_id: room, room_type: 'shared' });
  const wanderer = new ResumingClient(roomsV1, { token: await stack.token({ sub: 'wanderer' }) });
  await wanderer.open(stack.url(1));
  const places = await Promise.all([openPlace('room', { room }), openPlace('own', { conversation: 'own' })]);

  const stopAtMs = Date.now() + STEPPING_MS;
  for (let number = 1; number <= STEPS && Date.now() < stopAtMs; number += 1) {
    if (random.next() < 0.08) await wander(wanderer, room, random);
    await step(random.pick(places), random, number);
    // So that answers get somewhere between the steps.
    await wanderer.readRest();
    if (random.next() < 0.3) await random.pick(random.pick(places).clients).untilFrame(random.between(1, 40));
  }

  for (const { name, clients } of places) {
    await Promise.all(clients.map((client) => client.open(stack.url(random.between(0, 1)))));
    const [asker] = clients;
    asker?.probe.send({ type: 'set_on_busy', data: { on_busy: 'queue' } });
    asker?.ask('The last question', 'the last');
    const last = 'Echo: The last question';
    await Promise.all(
      clients.map((client) => client.until(() => client.ended.some(({ text }) => text.startsWith(last)))),
    );
    const stories = clients.map(({ ended }) =>
      JSON.stringify(ended.map(({ text, status }) => [status, text])),
    );
    for (const client of clients) {
      expect(client.faults, `${name}, seed ${seed}`).toEqual([]);
      expect(client.recoveries.filter((recovered) => !recovered)).toEqual([]);
    }
    // All wires show the same answers, each with one end, whatever connections were lost.
    for (const [at, story] of stories.entries()) {
      const wire = clients[at]?.wire.name;
      expect(story, `${wire} and rooms-v1 in ${name}, seed ${seed}`).toBe(stories[0]);
    }
  }
  expect(wanderer.faults).toEqual([]);

  const stored = await readMessages(stack.httpUrl(), keeper, room);
  const answers = stored.filter(({ role }: Frame) => role === 'assistant');
  const seen = places[0]?.clients[0]?.ended ?? [];
  expect(seen.map(({ text, status }) => [status, text])).toEqual(
    answers.slice(-seen.length).map(({ status, content }: Frame) => [status, content]),
  );
  const others = places.flatMap(({ clients }) => clients);
  await Promise.all([wanderer, ...others].map((client) => client.close()));
});
