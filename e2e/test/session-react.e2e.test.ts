/** The browser code of seeds/002 in Chromium, as the seed shows it, against the real stack. */
import { stripTypeScriptTypes } from 'node:module';
import { needs, type Stack, startStack } from '@natter/testkit';
import type { Page, WebSocket as PageSocket } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ReactApp } from '../src/react-app.ts';
import { openReactBrowser, type ReactBrowser } from '../src/react-page.ts';
import { reportFailures } from '../src/report-failures.ts';
import { codeBelow } from '../src/seed-document.ts';

const missing = needs('chromium');
/** The list of tables, some 30 tokens, takes seconds. */
const SLOW = { tokensPerSecond: 10, firstTokenMs: 0 };
const FAST = { tokensPerSecond: 0, firstTokenMs: 0 };
/** Two slow cores may start a browser and six services at once. */
const WAIT_MS = 30_000;
const TABLE = 'fact_bs_purchase_order';

/** The seed's emoji were encoded twice by whoever wrote it; unchanged code shows what it has. */
const [, CONNECTED = '', DISCONNECTED = ''] =
  /isConnected \? '(.+)' : '(.+)'/.exec(codeBelow('Usage in Component', '002')) ?? [];

let stack: Stack;
let browser: ReactBrowser;
let page: Page;
let complaints: string[];
beforeAll(async () => {
  if (missing !== null) return;
  // A ping counts as a message for the seed's hook, and takes the partial away.
  stack = await startStack({ demo: FAST, env: { WEBSOCKET_HEARTBEAT_INTERVAL: '480' } });
  browser = await openReactBrowser(stack.gateways[0]?.ports.http ?? 0);
});
afterAll(async () => {
  await browser?.close();
  await stack?.stop();
});
reportFailures(() => stack);

beforeEach(async ({ skip }) => {
  skip(missing !== null, missing ?? '');
  await stack.demo.behave(FAST);
  page = await browser.openTab();
  page.setDefaultTimeout(WAIT_MS);
  complaints = [];
  page.on('pageerror', (error) => complaints.push(error.message));
});
afterEach(async () => {
  await page?.context().close();
  expect(complaints).toEqual([]);
});

const polled = <T>(value: () => Promise<T>) => expect.poll(value, { timeout: WAIT_MS });
const hook = (): Promise<ReactApp['hook']> =>
  page.evaluate(() => {
    const { isConnected, messages } = (globalThis as unknown as ReactApp).hook;
    return { isConnected, messages, sendMessage: () => undefined };
  });
const isConnected = async () => (await hook()).isConnected;
const types = async () => (await hook()).messages.map(({ type }) => type);
const follow = (session: string) =>
  page.evaluate((id) => (globalThis as unknown as ReactApp).app.follow(id), session);
const say = (content: string) =>
  page.evaluate((text) => (globalThis as unknown as ReactApp).hook.sendMessage(text), content);
const unmount = () => page.evaluate(() => (globalThis as unknown as ReactApp).app.unmount());

describe('the React component of seeds/002', () => {
  it('[session/component] [session/chromium] [session/hook] [session/hook-connected] shows a question, what the agent did, its answer, and a lost connection', async () => {
    await stack.demo.behave(SLOW);
    await page.evaluate(() => (globalThis as unknown as ReactApp).app.show());
    const status = () => page.locator('.status').textContent();
    const message = (type: string) => page.locator(`.message.${type}`);
    await polled(status).toBe(CONNECTED);

    await page.locator('input').fill('List all tables');
    await page.keyboard.press('Enter');
    await polled(() => message('user').allTextContents()).toEqual(['List all tables']);
    await polled(() => message('agent_partial').textContent()).toMatch(/\S/);
    const early = (await message('agent_partial').textContent()) ?? '';
    await stack.demo.behave(FAST);
    await polled(() => message('agent').count()).toBe(1);
    expect(await message('agent_partial').count()).toBe(0);
    const answer = (await message('agent').textContent()) ?? '';
    expect(answer.startsWith(early)).toBe(true);
    expect(answer).toContain(TABLE);
    expect(await message('tool').first().textContent()).toContain(TABLE);
    expect(await message('error').count()).toBe(0);

    await stack.gateways[0]?.kill();
    await polled(status).toBe(DISCONNECTED);
    expect(await message('agent').textContent()).toBe(answer);
    await stack.gateways[0]?.restart();
  });

  it('sends by its button too, and nothing when the field is blank', async () => {
    await page.evaluate(() => (globalThis as unknown as ReactApp).app.show());
    await polled(() => page.locator('.status').textContent()).toBe(CONNECTED);
    await page.locator('input').fill('   ');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.locator('input').fill('What does dimv_bs_supplier describe?');
    await page.getByRole('button', { name: 'Send' }).click();
    await polled(() => page.locator('.message.agent').count()).toBeGreaterThan(0);
    expect(await page.locator('.message.user').last().textContent()).toBe(
      'What does dimv_bs_supplier describe?',
    );
    expect(await page.locator('.message.error').count()).toBe(0);
    expect(await page.locator('input').inputValue()).toBe('');
  });
});

describe('the React hook of seeds/002', () => {
  it('[session/hook-send] [session/hook-partial] [session/hook-final] has one partial at a time, then the answer in its place', async () => {
    await follow('hook-partial');
    await polled(isConnected).toBe(true);
    await stack.demo.behave(SLOW);
    await say('List all tables');
    await polled(types).toContain('agent_partial');
    const partial = async () =>
      (await hook()).messages.filter(({ type }) => type === 'agent_partial').map(({ content }) => content);
    const [early = ''] = await partial();
    await polled(async () => (await partial())[0]?.length ?? 0).toBeGreaterThan(early.length);
    expect(await partial()).toHaveLength(1);
    await stack.demo.behave(FAST);
    await polled(types).toContain('agent');
    const { messages } = await hook();
    expect(messages.map(({ type }) => type)).toEqual(['user', 'tool', 'agent']);
    expect(messages[1]).toMatchObject({ tool_name: 'list_tables' });
    expect(messages.at(-1)?.content.startsWith(early)).toBe(true);
  });

  it('[session/hook-unmount] leaves its session when it is given another one, and when it goes', async () => {
    const sockets: PageSocket[] = [];
    page.on('websocket', (socket) => void sockets.push(socket));
    const state = async () => sockets.map((socket) => [socket.url(), socket.isClosed()]);
    await follow('first');
    await polled(isConnected).toBe(true);
    await follow('second');
    await polled(state).toEqual([
      ['ws://localhost:8000/ws/first', true],
      ['ws://localhost:8000/ws/second', false],
    ]);
    await unmount();
    await polled(async () => sockets.at(-1)?.isClosed()).toBe(true);
    expect(sockets).toHaveLength(2);
  });
});

describe('the other browser code of seeds/002', () => {
  /** Sets the handlers of the seed's Client-side block on a socket, and keeps what they report. */
  const openWatched = (url: string) =>
    page.evaluate(
      ([handlers = '', address = '']) => {
        const told: string[] = [];
        const socket = new WebSocket(address);
        new Function('ws', 'setError', handlers)(socket, (text: string) => told.push(text));
        Object.assign(globalThis, { told });
      },
      [codeBelow('Client-side', '002'), url],
    );
  const told = () => page.evaluate(() => (globalThis as unknown as { told: string[] }).told);

  it('[session/client-close] [session/client-error] tells an invalid session from a lost connection and a dead server', async () => {
    await openWatched(`ws://localhost:8000/ws/${'a'.repeat(129)}`);
    await polled(told).toEqual(['Invalid session. Please start a new chat.']);

    await openWatched('ws://localhost:8000/ws/my-session');
    await follow('a second socket shows that the first one is open');
    await polled(isConnected).toBe(true);
    await stack.gateways[0]?.kill();
    await polled(told).toEqual(['Connection lost. Attempting to reconnect...']);

    await openWatched('ws://localhost:8000/ws/my-session');
    await polled(told).toEqual([
      'Connection error. Please refresh the page.',
      'Connection lost. Attempting to reconnect...',
    ]);
    await stack.gateways[0]?.restart();
  });

  it('[session/reconnect] its reconnecting client comes back after a restart of the gateway', async () => {
    const theClass = stripTypeScriptTypes(codeBelow('Reconnection (Client-side)', '002'));
    await page.evaluate((source) => {
      const client = new Function(`${source}; return new ReconnectingWebSocket();`)();
      client.connect('ws://localhost:8000/ws/my-session');
      Object.assign(globalThis, { client });
    }, theClass);
    const state = () =>
      page.evaluate(() => {
        const { ws, reconnectAttempts } = (globalThis as unknown as { client: ReconnectingClient }).client;
        return [ws.readyState === WebSocket.OPEN, reconnectAttempts];
      });
    await polled(state).toEqual([true, 0]);
    await stack.gateways[0]?.stop();
    await polled(async () => (await state())[0]).toBe(false);
    await stack.gateways[0]?.restart();
    await polled(state).toEqual([true, 0]);
  });
});

/** What the class keeps, private only to TypeScript. */
interface ReconnectingClient {
  ws: WebSocket;
  reconnectAttempts: number;
}
