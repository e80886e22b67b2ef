/** Strange ids in every id field: an error, or a conversation that works, and never somebody else's events. */
import { ERRORS, isClientId } from '@natter/proto';
import { type Stack, startStack } from '@natter/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { census } from '../src/alive.ts';
import { chatV1, fastchatV1, roomsV1, sessionV1 } from '../src/chat-wires.ts';
import { HOSTILE_IDS, inUrl, routeFields, socketFields, TOKEN } from '../src/hostile-ids.ts';
import { inPool } from '../src/in-pool.ts';
import { Intruder, type Outcome } from '../src/intruder.ts';
import { reportFailures } from '../src/report-failures.ts';
import { CANARY, type PlaceRequest, usualPlaces, Victim } from '../src/victim.ts';

const MASTER = 'the master token of the operator';
const ATTEMPTS_AT_ONCE = 10;
/** Of a server that has met something it doesn't know how to take. */
const OURS = ['INTERNAL', 'UNAVAILABLE', 'PROCESSING_ERROR'];

let stack: Stack;
let bob: Victim;
let before: Record<string, string>;
const intruder = new Intruder();
beforeAll(async () => {
  stack = await startStack({
    gateways: 2,
    agents: 2,
    demo: { tokensPerSecond: 400, firstTokenMs: 0 },
    env: {
      MASTER_TOKEN: MASTER,
      WS_RATE_LIMIT_REQUESTS: '100000',
      NATTER_SESSION_RATE_LIMIT: '100000',
    },
  });
  bob = await Victim.settle(stack, 'bob-the-victim', [...usualPlaces('bobs'), ...strangePlaces()]);
  before = await census(stack);
});
afterAll(async () => {
  await bob?.leave();
  await stack?.stop();
});
reportFailures(() => stack);
afterEach(async () => {
  expect(await census(stack)).toEqual(before);
});

/** The victim has conversations and a room of such names, too. */
function strangePlaces(): PlaceRequest[] {
  const { 'a wildcard': all, 'another wildcard': one, 'the key of a room': key } = HOSTILE_IDS;
  return [
    { kind: 'conversation', wire: chatV1, id: all },
    { kind: 'session', wire: sessionV1, id: one },
    { kind: 'conversation', wire: fastchatV1, id: key },
    { kind: 'group', wire: roomsV1, id: HOSTILE_IDS['a subject of the broker'] },
    { kind: 'group', wire: roomsV1, id: HOSTILE_IDS['a prototype'] },
  ];
}

function codesIn({ frames }: Outcome): string[] {
  return frames.flatMap(({ code, data }) => [code ?? data?.code ?? []].flat());
}

/** Whether an answer came to its end. */
function isAnswered({ frames }: Outcome): boolean {
  return frames.some(
    ({ type, data, meta }) =>
      type === 'complete' || type === 'agent' || meta?.last_chunk === true || data?.done === true,
  );
}

let attackers = 0;

describe('an id that is', () => {
  it.each(Object.entries(HOSTILE_IDS))(
    '[ids/every-field] [ids/nobody-elses] %s: an error or a conversation of one’s own, in every field of every wire and route',
    async (_what, id) => {
      attackers += 1;
      const sub = `mallory-${attackers}`;
      const token = await stack.token({ sub });
      const room = `room-of-${sub}`;
      const heardBefore = bob.heard;
      await intruder.http({
        method: 'POST',
        url: `${stack.httpUrl()}/api/v1/ws/rooms`,
        headers: { authorization: `Bearer ${token}` },
        body: { room_id: room, room_type: 'group' },
      });
      await inPool(socketFields(id), ATTEMPTS_AT_ONCE, async ({ name, wire, path, frames, asks }) => {
        // Somebody new each time: answers to one and the same person wait for one another.
        const own = await stack.token({ sub: `${sub} by ${name}` });
        const url = stack.url(attackers % 2) + path.replace(TOKEN, own);
        const outcome = await intruder.socket({ wire, url, frames, asks });
        const codes = codesIn(outcome);
        for (const code of codes) expect(ERRORS).toHaveProperty(code);
        expect([name, codes.filter((code) => OURS.includes(code))]).toEqual([name, []]);
        if (outcome.closed !== null)
          expect([name, outcome.closed]).toEqual([name, expect.stringMatching(/^(4|1008)/)]);
        else if (asks) {
          const refused = codes.some((code) => code !== 'EMPTY_MESSAGE');
          expect([name, isAnswered(outcome) || refused || id === '']).toEqual([name, true]);
        }
      });
      await inPool(routeFields(id, token, MASTER, room), ATTEMPTS_AT_ONCE, async (route) => {
        const { name, method, path, headers, body } = route;
        const url = stack.httpUrl(attackers % 2) + path;
        const answer = await intruder.http({ method, url, headers, body });
        expect([name, answer.slice(0, 200)]).toEqual([name, expect.stringMatching(/^[24]\d\d\n/)]);
      });
      expect(intruder.received.filter((text) => text.includes(CANARY))).toEqual([]);
      await expect.poll(() => bob.heard, { timeout: 30_000 }).toBeGreaterThan(heardBefore);
      expect(bob.frames.filter((frame) => frame.includes(sub))).toEqual([]);
    },
  );

  it('that of a user, too: whoever is called so has conversations and rooms like anybody else', async () => {
    const usable = Object.values(HOSTILE_IDS).filter((id) => isClientId(id) && !id.startsWith('natter:'));
    expect(usable.length).toBeGreaterThan(6);
    await inPool(usable, ATTEMPTS_AT_ONCE, async (sub) => {
      const token = await stack.token({ sub });
      for (const { name, wire, path, frames, asks } of socketFields(sub)) {
        if (!asks || !path.includes(`${TOKEN}&watch`)) continue;
        const outcome = await intruder.socket({
          wire,
          url: stack.url() + path.replace(TOKEN, token),
          frames,
          asks,
        });
        expect([name, sub, isAnswered(outcome) || codesIn(outcome).length > 0]).toEqual([name, sub, true]);
      }
      const room = await intruder.http({
        method: 'POST',
        url: `${stack.httpUrl()}/api/v1/ws/rooms`,
        headers: { authorization: `Bearer ${token}` },
        body: { room_id: `room of ${sub}`, room_type: 'group' },
      });
      expect(room).toMatch(/^201\n/);
    });
    expect(intruder.received.filter((text) => text.includes(CANARY))).toEqual([]);
  });

  it('strange in a header or a path that no route has is a refusal, too', async () => {
    for (const id of Object.values(HOSTILE_IDS)) {
      const url = `${stack.httpUrl()}/api/v1/ws/${inUrl(id)}`;
      const answer = await intruder.http({ method: 'GET', url });
      expect(answer).toMatch(/^4\d\d\n/);
    }
  });
});
