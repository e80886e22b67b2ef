/** The clients of seeds/004, as the seed shows them, against the real stack. */
import { needs, type Stack, startStack } from '@natter/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ANSWER_MS } from '../src/chat.ts';
import { reportFailures } from '../src/report-failures.ts';
import { answerTo, expectWholeInRoom, openRooms, POWER } from '../src/rooms-chat.ts';
import { roomPath, roomsCurl } from '../src/rooms-curl.ts';
import {
  framesOf,
  openJavaScriptClient,
  runPythonChat,
  runPythonClient,
  SEED_ROOM,
} from '../src/seed-004-clients.ts';
import type { SeedProgram } from '../src/seed-clients.ts';

const OIL = { question: 'How often does the engine oil need changing?', answer: /15,000|oil/ };

let stack: Stack;
let admin: ReturnType<typeof roomsCurl>;
beforeAll(async () => {
  stack = await startStack({ demo: { tokensPerSecond: 200, firstTokenMs: 0 } });
  admin = roomsCurl(stack.httpUrl(), await stack.token({ sub: 'boss', roles: ['admin'] }));
  // The clients name no type, so the room is what it was made as.
  const owner = roomsCurl(stack.httpUrl(), await stack.token({ sub: 'owner' }));
  expect((await owner('POST', '/rooms', { room_id: SEED_ROOM, room_type: 'shared' })).status).toBe(201);
});
afterAll(() => stack?.stop());
reportFailures(() => stack);

const running: SeedProgram[] = [];
afterEach(() => {
  for (const program of running.splice(0)) program.stop();
});
function keep<T extends SeedProgram>(program: T): T {
  running.push(program);
  return program;
}

const port = () => stack.gateways[0]?.ports.http ?? 0;

/** The token of the seed's first step. */
async function webSocketToken(sub: string): Promise<string> {
  const token = await stack.token({ sub, name: `${sub} by name` });
  return (await roomsCurl(stack.httpUrl(), token)('POST', '/token')).body.token;
}

/** Asked seldom: routes have a rate limit as well. */
const isIn = (sub: string) =>
  expect
    .poll(async () => (await admin('GET', roomPath(SEED_ROOM))).body.online ?? [], {
      timeout: ANSWER_MS,
      interval: 700,
    })
    .toContain(sub);

/** The texts of one role that a client was shown, deltas of answers joined. */
function said(program: SeedProgram) {
  const chat = framesOf(program).filter(({ type }) => type === 'chat');
  return {
    people: chat.filter(({ data }) => data.role === 'user').map(({ data }) => data.content),
    streamed: chat
      .filter(({ data }) => data.streaming === true)
      .map(({ data }) => data.content)
      .join(''),
    ends: chat.filter(({ data }) => data.done === true).map(({ data }) => data.response),
  };
}

describe('the JavaScript client of the seed', () => {
  it('[rooms/js-client] [rooms/js-client-chat] connects to its room, and what it says is answered there', async () => {
    const watcher = await openRooms(stack.url(), await webSocketToken('watcher'), { room_id: SEED_ROOM });
    const page = keep(await openJavaScriptClient(port(), await webSocketToken('jane')));
    await isIn('jane');
    expect(page.printed()).toContain('Connected to WebSocket');
    await page.run(`client.sendChatMessage(${JSON.stringify(POWER.question)}); 0`);
    const question = await watcher.next(({ data }) => data.role === 'user', ANSWER_MS);
    expect(question.data).toMatchObject({ user_id: 'jane', username: 'jane by name', room_id: SEED_ROOM });
    expect(question.data.message_id).toMatch(/^msg-\d+$/);
    const seen = await answerTo(watcher, question.data.message_id);
    expectWholeInRoom(seen);
    await expect.poll(() => said(page).ends, { timeout: ANSWER_MS }).toEqual([seen.end.data.response]);
    expect(said(page).streamed).toBe(seen.end.data.response);
    expect(seen.end.data.response).toMatch(POWER.answer);
    await watcher.close();
  });

  it('[rooms/js-client-typing] tells the others in its room when it types', async () => {
    const watcher = await openRooms(stack.url(), await webSocketToken('watcher'), { room_id: SEED_ROOM });
    const page = keep(await openJavaScriptClient(port(), await webSocketToken('jane')));
    await isIn('jane');
    for (const is_typing of [true, false]) {
      await page.run(`client.sendTypingIndicator(${is_typing}); 0`);
      const { data } = await watcher.nextOfType('typing', ANSWER_MS);
      expect(data).toMatchObject({
        user_id: 'jane',
        username: 'jane by name',
        is_typing,
        room_id: SEED_ROOM,
      });
    }
    await watcher.close();
  });

  it('[rooms/js-client-reconnect] finds the restarted gateway by itself, and goes on in its room', async () => {
    const page = keep(await openJavaScriptClient(port(), await webSocketToken('jane')));
    await isIn('jane');
    await stack.gateways[0]?.restart();
    await isIn('jane');
    expect(page.printed().match(/^Connected to WebSocket$/gm)).toHaveLength(2);
    expect(page.printed()).toContain('WebSocket connection closed');
    await page.run(`client.sendChatMessage(${JSON.stringify(POWER.question)}); 0`);
    await expect.poll(() => said(page).ends, { timeout: ANSWER_MS }).toHaveLength(1);
    expect(said(page).streamed).toMatch(POWER.answer);
  });

  it('is told why when its token is not accepted', async () => {
    const page = keep(await openJavaScriptClient(port(), 'your-ws-token'));
    await expect
      .poll(() => framesOf(page), { timeout: ANSWER_MS })
      .toMatchObject([{ type: 'error', data: { code: 'INVALID_TOKEN', error: 'Invalid token' } }]);
  });
});

describe('the Python client of the seed', () => {
  const missing = needs('python-websockets');

  it('[rooms/python-client] connects to its room and stays, with the usage that the seed shows', async ({
    skip,
  }) => {
    skip(missing !== null, missing ?? '');
    const python = keep(runPythonClient(port(), await webSocketToken('guido')));
    await isIn('guido');
    expect(python.printed()).toContain('Connected to WebSocket');
    const page = keep(await openJavaScriptClient(port(), await webSocketToken('jane')));
    await isIn('jane');
    await page.run(`client.sendTypingIndicator(true); 0`);
    await expect
      .poll(() => framesOf(python), { timeout: ANSWER_MS })
      .toContainEqual(expect.objectContaining({ type: 'typing' }));
    expect(python.printed()).not.toContain('error');
  });

  it('[rooms/python-client-chat] [rooms/js-client-chat] holds a chat with the JavaScript client and the AI in one room', async ({
    skip,
  }) => {
    skip(missing !== null, missing ?? '');
    const page = keep(await openJavaScriptClient(port(), await webSocketToken('jane')));
    const python = keep(runPythonChat(port(), await webSocketToken('guido'), OIL.question));
    await Promise.all([isIn('jane'), isIn('guido')]);
    await page.run(`client.sendChatMessage(${JSON.stringify(POWER.question)}); 0`);
    expect(await python.ended, python.printed()).toBe(0);
    await expect.poll(() => said(page).ends, { timeout: ANSWER_MS }).toHaveLength(2);
    const [mine, theirs] = [said(page), said(python)];
    expect(theirs.people).toEqual([POWER.question]);
    expect(mine.people).toEqual([OIL.question]);
    expect(theirs.ends).toEqual(mine.ends);
    expect(mine.ends).toMatchObject([expect.stringMatching(POWER.answer), expect.stringMatching(OIL.answer)]);
    for (const { streamed, ends } of [mine, theirs]) expect(streamed).toBe(ends.join(''));
    const asked = framesOf(page).find(({ data }) => data.role === 'user');
    expect(asked?.data).toMatchObject({
      user_id: 'guido',
      message_id: expect.stringMatching(/^msg-\d+\.\d+$/),
    });
  });
});
