/** A person at the page: a browser tab, the hands and eyes of the tests, and the scripted server. */
import { findChromium, needs } from '@natter/testkit';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import {
  type Peer,
  type ScriptedOptions,
  type ScriptedServer,
  startScriptedServer,
} from './scripted-server.ts';

export const GOOD_TOKEN = 'good.token';
const WAIT_MS = 10_000;

export interface Person {
  readonly page: Page;
  readonly server: ScriptedServer;
  /** Opens the page; returns the socket that it opens. */
  open(options?: ScriptedOptions): Promise<Peer>;
  openSignedIn(options?: ScriptedOptions): Promise<Peer>;
  /** Takes the good token from the page and lets Alice in. */
  accept(peer: Peer): Promise<void>;
  ask(text: string): Promise<void>;
  /** Waits until the last visible element of the selector contains the text. */
  sees(selector: string, text: string): Promise<void>;
  /** Timers of the page stand still from here on; only `passTime` moves them. */
  stopClock(): Promise<void>;
  passTime(ms: number): Promise<void>;
  /** Lines of the browser's console that contain this are expected. */
  forgive(text: string): void;
}

/** Sets up a browser for the file and a fresh tab for each test; skips where there is none. */
export function seeThePage(): Person {
  const missing = needs('chromium');
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let server: ScriptedServer;
  let complaints: string[] = [];

  beforeAll(async () => {
    if (missing !== null) return;
    browser = await chromium.launch({
      executablePath: findChromium() ?? undefined,
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
    });
  });
  afterAll(() => browser?.close());

  beforeEach(async ({ skip }) => {
    skip(missing !== null, missing ?? '');
    context = await browser.newContext();
    page = await context.newPage();
    page.setDefaultTimeout(WAIT_MS);
    complaints = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (line) => complaints.push(line.text()));
  });
  afterEach(async () => {
    await context?.close();
    await server?.stop();
    // A lost connection is reported by the browser itself; a policy violation must not happen.
    expect(complaints.filter((line) => !line.startsWith('WebSocket connection to'))).toEqual([]);
  });

  const person: Person = {
    get page() {
      return page;
    },
    get server() {
      return server;
    },
    open: async (options = {}) => {
      server = await startScriptedServer(options);
      await page.goto(server.url);
      return server.connection();
    },
    openSignedIn: async (options) => {
      const peer = await person.open(options);
      await page.getByLabel('Access token').fill(GOOD_TOKEN);
      await page.getByRole('button', { name: 'Use token' }).click();
      await person.accept(peer);
      return peer;
    },
    accept: async (peer) => {
      expect(await peer.next()).toEqual({ type: 'auth', token: GOOD_TOKEN });
      peer.send({ type: 'auth_success', message: 'ok', user: { id: 'alice', email: null, name: 'Alice' } });
      await person.sees('#state', 'Authenticated as Alice');
    },
    ask: async (text) => {
      await page.getByLabel('Your question').fill(text);
      await page.keyboard.press('Enter');
    },
    sees: (selector, text) =>
      expect
        .poll(() => page.locator(selector).filter({ visible: true }).last().textContent(), {
          timeout: WAIT_MS,
        })
        .toContain(text),
    stopClock: async () => {
      await page.clock.install({ time: 0 });
      await page.clock.pauseAt(3_600_000);
    },
    passTime: (ms) => page.clock.fastForward(ms),
    forgive: (text) => {
      complaints = complaints.filter((line) => !line.includes(text));
    },
  };
  return person;
}
