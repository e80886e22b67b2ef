/** Makes rooms and conversations, and puts people into them. */
import type { Stack } from '@natter/testkit';
import type { Xorshift } from '../fuzz/xorshift.ts';
import { FaultClient } from './fault-client.ts';
import type { Place } from './place.ts';
import { tryAgain } from './try-again.ts';
import { chatV1 } from './wires/chat-v1.ts';
import type { FaultWire, Visit } from './wires/fault-wire.ts';
import { roomsV1 } from './wires/rooms-v1.ts';

export interface Crowd {
  rooms: number;
  /** Conversations of people's own, each with two devices. */
  conversations: number;
}

type Acknowledge = (place: Place, key: string) => void;

/** `name` begins all names; the returned clients connect by themselves. */
export async function openPlaces(
  stack: Stack,
  name: string,
  crowd: Crowd,
  random: Xorshift,
  acknowledge: Acknowledge,
): Promise<Place[]> {
  const places: Place[] = [];
  for (let room = 0; room < crowd.rooms; room += 1)
    places.push(await openRoom(stack, `${name}-room-${room}`, random, acknowledge));
  for (let one = 0; one < crowd.conversations; one += 1)
    places.push(await openConversation(stack, `${name}-own-${one}`, random, acknowledge));
  return places;
}

/** Two who talk on rooms-v1, and one who listens on each wire. */
async function openRoom(
  stack: Stack,
  name: string,
  random: Xorshift,
  acknowledge: Acknowledge,
): Promise<Place> {
  const place: Place = { name, speakers: [], listeners: [], acknowledged: [] };
  await makeRoom(stack, name, await stack.token({ sub: `${name}-ann` }));
  const add = async (wire: FaultWire, sub: string) => {
    const visit = { sub: `${name}-${sub}`, token: await stack.token({ sub: `${name}-${sub}` }), room: name };
    return clientOf(stack, wire, { ...visit, conversation: name }, random, place, acknowledge);
  };
  place.speakers.push(await add(roomsV1, 'ann'), await add(roomsV1, 'bob'));
  place.listeners.push(await add(roomsV1, 'cid'), await add(chatV1, 'dee'));
  return place;
}

/** Its owner asks on chat-v1, and another device of theirs on each wire listens. */
async function openConversation(
  stack: Stack,
  name: string,
  random: Xorshift,
  acknowledge: Acknowledge,
): Promise<Place> {
  const place: Place = { name, speakers: [], listeners: [], acknowledged: [] };
  const visit: Visit = { sub: name, token: await stack.token({ sub: name }), room: null, conversation: name };
  place.speakers.push(clientOf(stack, chatV1, visit, random, place, acknowledge));
  place.listeners.push(clientOf(stack, chatV1, visit, random, place, acknowledge));
  return place;
}

function clientOf(
  stack: Stack,
  wire: FaultWire,
  visit: Visit,
  random: Xorshift,
  place: Place,
  acknowledge: Acknowledge,
): FaultClient {
  const client = new FaultClient({
    wire,
    visit,
    urls: stack.gateways.map((_, index) => stack.url(index)),
    random,
    acknowledged: (messageId) => acknowledge(place, `${visit.sub}/${messageId}`),
  });
  client.open();
  return client;
}

/** Its AI answers those that name it: most of what is said is between people. */
async function makeRoom(stack: Stack, room_id: string, token: string): Promise<void> {
  await tryAgain(async (tries) => {
    const url = stack.httpUrl(tries % stack.gateways.length);
    const response = await fetch(`${url}/api/v1/ws/rooms`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ room_id, room_type: 'shared', ai: 'mention' }),
    });
    // An earlier try may have made it, and its answer was lost.
    if (response.status !== 201 && response.status !== 409)
      throw new Error(`no room ${room_id}: ${response.status} ${await response.text()}`);
  });
}
