/**
 * User A, with a good token, against everything of user B: each wire and route by each kind of thing.
 *
 * B talks all the while, in all of their places. Nothing that B says or hears may ever reach A, and
 * what is B's answers A as if it weren't there.
 */
import { randomUUID } from 'node:crypto';
import { type Stack, startStack } from '@natter/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Attacker,
  CONNECTION_ATTEMPTS,
  HTTP_ATTEMPTS,
  type HttpAttempt,
  type Prey,
  SOCKET_ATTEMPTS,
  type SocketAttempt,
  TYPED_ATTEMPTS,
} from '../src/access-attempts.ts';
import { comparable, comparableHttp } from '../src/comparable.ts';
import { inPool } from '../src/in-pool.ts';
import { Intruder } from '../src/intruder.ts';
import { reportFailures } from '../src/report-failures.ts';
import { roomPath } from '../src/rooms-curl.ts';
import { CANARY, usualPlaces, Victim, type VictimPlace } from '../src/victim.ts';

const ANSWERS_AT_ONCE = 6;
const PREFIX = 'bobs';
/** As long as the prefix: a shorter id would have another content-length. */
const MISSING_PREFIX = 'none';

let stack: Stack;
let bob: Victim;
let roomsBefore: unknown[];
const intruder = new Intruder();
beforeAll(async () => {
  stack = await startStack({
    gateways: 2,
    agents: 2,
    demo: { tokensPerSecond: 300, firstTokenMs: 0 },
    env: { WS_RATE_LIMIT_REQUESTS: '100000', NATTER_SESSION_RATE_LIMIT: '100000' },
  });
  bob = await Victim.settle(stack, 'bob-the-victim', usualPlaces(PREFIX));
  roomsBefore = await bobsRooms();
});
afterAll(async () => {
  await bob?.leave();
  await stack?.stop();
});
reportFailures(() => stack);

let attackers = 0;
/** Somebody new for each attempt, so that none meets what another one left. */
async function attacker(): Promise<Attacker> {
  attackers += 1;
  const sub = `mallory-${String(attackers).padStart(4, '0')}`;
  return { sub, token: await stack.token({ sub }) };
}

function preyOf(place: VictimPlace): Prey {
  const { id, cursor, message } = place;
  const run = cursor.split('.')[4] ?? '';
  return { id, cursor, message, run, user: bob.sub, connection: bob.connection };
}

/** The like of it that isn't there. */
function missingLike({ id, cursor, message }: Prey): Prey {
  return {
    id: id.replace(PREFIX, MISSING_PREFIX),
    cursor: cursor.replace(PREFIX, MISSING_PREFIX),
    message: message.replace('victim', 'nobody'),
    run: 'a'.repeat(26),
    user: 'nob-the-nobody',
    connection: randomUUID(),
  };
}

const places = (...kinds: VictimPlace['kind'][]) => bob.places.filter(({ kind }) => kinds.includes(kind));

/** Tries it as somebody new; in a shared room, which is open to all, as somebody who is banned. */
async function trySocket(attempt: SocketAttempt, prey: Prey, place: VictimPlace): Promise<string[]> {
  const who = await attacker();
  if (place.kind === 'shared') await bob.ban(place.id, who.sub);
  const url = stack.url(attackers % 2) + attempt.path(prey, who);
  const { wire, asks } = attempt;
  const outcome = await intruder.socket({ wire, url, frames: attempt.frames(prey, who), asks });
  return comparable(outcome, prey, who, asks);
}

async function tryHttp(attempt: HttpAttempt, prey: Prey, banFrom: string | null): Promise<string> {
  const who = await attacker();
  if (banFrom !== null) await bob.ban(banFrom, who.sub);
  const { method, path, body } = attempt;
  const url = stack.httpUrl(attackers % 2) + path(prey, who);
  const headers = { authorization: `Bearer ${who.token}` };
  const answer = await intruder.http({ method, url, headers, body: body?.(prey, who) });
  return comparableHttp(answer, prey, who);
}

/** Every attempt on every one of these places answers as if nothing were there. */
async function expectLikeMissing(attempts: readonly SocketAttempt[], of: VictimPlace[]): Promise<void> {
  const pairs = of.flatMap((place) => attempts.map((attempt) => ({ place, attempt })));
  expect(pairs.length).toBeGreaterThan(0);
  await inPool(pairs, ANSWERS_AT_ONCE, async ({ place, attempt }) => {
    const what = `${attempt.name} of ${place.kind} ${place.id}`;
    const prey = preyOf(place);
    const [forbidden, missing] = [
      await trySocket(attempt, prey, place),
      await trySocket(attempt, missingLike(prey), place),
    ];
    expect([what, ...forbidden]).toEqual([what, ...missing]);
  });
  expectNothingOfBobs();
}

function expectNothingOfBobs(): void {
  expect(intruder.received.length).toBeGreaterThan(0);
  expect(intruder.received.filter((text) => text.includes(CANARY))).toEqual([]);
}

/** What Bob's rooms are, but for what changes with everything that is said. */
function bobsRooms(): Promise<unknown[]> {
  return Promise.all(
    places('private', 'shared', 'group').map(async ({ id }) => {
      const { status, body } = await bob.curl('GET', roomPath(id));
      const { last_activity, typing_users, online, ...rest } = body;
      return { status, ...rest };
    }),
  );
}

const byName = SOCKET_ATTEMPTS.filter(({ byCursor = false }) => !byCursor);
const byCursor = SOCKET_ATTEMPTS.filter((attempt) => attempt.byCursor === true);

describe('user A', () => {
  it('[access/sessions] [access/missing-is-forbidden] gets nothing of B’s sessions on any wire', async () => {
    await expectLikeMissing(byName, places('session'));
  });

  it('[access/conversations] [access/missing-is-forbidden] gets nothing of B’s conversations on any wire', async () => {
    await expectLikeMissing(byName, places('conversation'));
  });

  it('[access/rooms] [access/missing-is-forbidden] gets nothing of B’s rooms on any wire', async () => {
    await expectLikeMissing(byName, places('private', 'shared', 'group'));
  });

  it('[access/rooms] is denied B’s rooms where they say that they mean just these', async () => {
    const pairs = places('shared', 'group').flatMap((place) =>
      TYPED_ATTEMPTS.map((attempt) => ({ place, attempt })),
    );
    await inPool(pairs, ANSWERS_AT_ONCE, async ({ place, attempt }) => {
      const answer = await trySocket(attempt, preyOf(place), place);
      expect([attempt.name, answer.join('\n')]).toEqual([
        attempt.name,
        expect.stringContaining('"ROOM_DENIED"'),
      ]);
    });
    expectNothingOfBobs();
  });

  it('[access/cursors] [access/missing-is-forbidden] gets nothing by B’s cursors on any wire', async () => {
    await expectLikeMissing(byCursor, bob.places);
  });

  it('[access/sessions] [access/conversations] [access/rooms] [access/missing-is-forbidden] gets nothing of any of them over HTTP, and the same bytes for what isn’t there', async () => {
    const pairs = bob.places.flatMap((place) => HTTP_ATTEMPTS.map((attempt) => ({ place, attempt })));
    await inPool(pairs, ANSWERS_AT_ONCE, async ({ place, attempt }) => {
      const what = `${attempt.name} of ${place.kind} ${place.id}`;
      const prey = preyOf(place);
      const banFrom = place.kind === 'shared' ? place.id : null;
      const forbidden = await tryHttp(attempt, prey, banFrom);
      expect([what, forbidden]).toEqual([what, await tryHttp(attempt, missingLike(prey), banFrom)]);
      expect([what, forbidden.slice(0, 3)]).toEqual([what, '403']);
    });
    expectNothingOfBobs();
  });

  it('[access/rooms] can’t make a room that B has, and learns no more than that', async () => {
    const { token } = await attacker();
    for (const { id } of places('shared', 'group'))
      for (const room_type of ['shared', 'group']) {
        const answer = await intruder.http({
          method: 'POST',
          url: `${stack.httpUrl()}/api/v1/ws/rooms`,
          headers: { authorization: `Bearer ${token}` },
          body: { room_id: id, room_type },
        });
        expect(answer).toMatch(/^409\n.*"code":"ROOM_EXISTS"/s);
      }
    expectNothingOfBobs();
  });

  it('[access/conversations] gets an answer of their own over HTTP under B’s names', async () => {
    await inPool(bob.places, ANSWERS_AT_ONCE, async ({ id, message }) => {
      const { token } = await attacker();
      const answer = await intruder.http({
        method: 'POST',
        url: `${stack.httpUrl(1)}/api/v1/chat`,
        headers: { authorization: `Bearer ${token}` },
        body: { message: 'What was my first question?', session_id: id, message_id: message },
      });
      expect(answer).toMatch(/^200\n.*This is your first question/s);
    });
    expectNothingOfBobs();
  });

  it('[access/connections] [access/missing-is-forbidden] gets nothing of B’s connections', async () => {
    const [place] = bob.places;
    if (place === undefined) throw new Error('B has no place');
    for (const attempt of CONNECTION_ATTEMPTS) {
      const prey = preyOf(place);
      const forbidden = await tryHttp(attempt, prey, null);
      expect(forbidden).toBe(await tryHttp(attempt, missingLike(prey), null));
      expect(forbidden).toMatch(/^404\n/);
    }
    // They exist: whoever may see them does.
    const own = await bob.curl('GET', `/connections/${bob.connection}`);
    expect(own).toMatchObject({ status: 200, body: { user_id: bob.sub } });
    const { token } = await attacker();
    const stats = await intruder.http({
      method: 'GET',
      url: `${stack.httpUrl()}/api/v1/ws/stats`,
      headers: { authorization: `Bearer ${token}` },
    });
    expect(stats).toMatch(/^403\n.*"code":"ADMIN_ONLY"/s);
  });
});

describe('user B', () => {
  it('gets by the same attempts what is theirs', async () => {
    const self = new Intruder();
    const who = { sub: bob.sub, token: bob.token };
    const own = bob.places.flatMap((place) => byCursor.map((attempt) => ({ place, attempt })));
    await inPool(own, ANSWERS_AT_ONCE, async ({ place, attempt }) => {
      const prey = preyOf(place);
      const { wire } = attempt;
      const url = stack.url() + attempt.path(prey, who);
      const { frames } = await self.socket({ wire, url, frames: attempt.frames(prey, who) });
      expect([attempt.name, JSON.stringify(frames)]).toEqual([
        attempt.name,
        expect.stringContaining('"recovered":true'),
      ]);
    });
    expect(self.received.some((text) => text.includes(CANARY))).toBe(true);
  });

  it('has noticed nothing: all rooms are what they were, everything goes on, and nobody else was heard', async () => {
    const bans = /"user_id":"mallory/;
    expect(JSON.stringify(await bobsRooms())).toBe(JSON.stringify(roomsBefore));
    const before = bob.heard;
    await expect.poll(() => bob.heard, { timeout: 30_000 }).toBeGreaterThan(before);
    expect(bob.frames.filter((frame) => bans.test(frame) || frame.includes('Changed'))).toEqual([]);
  });
});
