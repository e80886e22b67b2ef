/** What a person sees on the page in Chromium while a scripted server plays the gateway. */
import { findChromium, needs } from '@natter/testkit';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type Peer,
  type ScriptedOptions,
  type ScriptedServer,
  startScriptedServer,
} from './scripted-server.ts';

const missing = needs('chromium');
const GOOD = 'good.token';
const STEPS = ['starting', 'agent_routing', 'rag_retrieval', 'generating'];
const METADATA = {
  agent: 'specs',
  confidence: 0.95,
  context: { sources: ['engine.md', 'towing.md'] },
  model: 'demo',
  usage: { input_tokens: 120, output_tokens: 45 },
};

describe('the test page', () => {
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let server: ScriptedServer;
  let complaints: string[];

  beforeAll(async () => {
    if (missing !== null) return;
    browser = await chromium.launch({
      executablePath: findChromium() ?? undefined,
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
    });
  }, 60_000);
  afterAll(() => browser?.close());

  beforeEach(async ({ skip }) => {
    skip(missing !== null, missing ?? '');
    context = await browser.newContext();
    page = await context.newPage();
    page.setDefaultTimeout(10_000);
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

  async function open(options: ScriptedOptions = {}): Promise<Peer> {
    server = await startScriptedServer(options);
    await page.goto(server.url);
    return server.connection();
  }

  async function accept(peer: Peer): Promise<void> {
    expect(await peer.next()).toEqual({ type: 'auth', token: GOOD });
    peer.send({ type: 'auth_success', message: 'ok', user: { id: 'alice', email: null, name: 'Alice' } });
    await sees('#state', 'Authenticated as Alice');
  }

  async function openSignedIn(options: ScriptedOptions = {}): Promise<Peer> {
    const peer = await open(options);
    await page.getByLabel('Access token').fill(GOOD);
    await page.getByRole('button', { name: 'Use token' }).click();
    await accept(peer);
    return peer;
  }

  async function ask(text: string): Promise<void> {
    await page.getByLabel('Your question').fill(text);
    await page.keyboard.press('Enter');
  }

  const sees = (selector: string, text: string) =>
    expect
      .poll(() => page.locator(selector).filter({ visible: true }).last().textContent(), { timeout: 10_000 })
      .toContain(text);
  const stepsMarked = (how: string) =>
    page.locator(`.steps .${how}`).evaluateAll((all) => all.map((step) => step.getAttribute('data-step')));

  it('says in words whether it is connecting, connected, authenticated or disconnected', async () => {
    let letIn = () => {};
    const opened = open({ gate: new Promise((resolve) => (letIn = resolve)) });
    await sees('#state', 'Connecting');
    letIn();
    const peer = await opened;
    await sees('#state', 'Connected, not signed in');
    await page.getByLabel('Access token').fill(`Bearer ${GOOD}`);
    await page.keyboard.press('Enter');
    await accept(peer);
    peer.close(1012, 'Service restart');
    await sees('#state', 'Disconnected, trying again');
  });

  it('shows why a token was refused, and takes a good one on the same socket', async () => {
    const peer = await open();
    expect(await page.getByLabel('Your question').isDisabled()).toBe(true);
    await page.getByLabel('Access token').fill('bad');
    await page.getByRole('button', { name: 'Use token' }).click();
    expect(await peer.next()).toEqual({ type: 'auth', token: 'bad' });
    peer.send({ type: 'auth_error', message: 'Invalid token', code: 'TOKEN_EXPIRED' });
    await sees('[role=alert]', 'Invalid token (TOKEN_EXPIRED)');
    await page.getByLabel('Access token').fill(GOOD);
    await page.getByRole('button', { name: 'Use token' }).click();
    await accept(peer);
    expect(await page.locator('[role=alert]').textContent()).toBe('');
    expect(await page.locator('#sign-in').isVisible()).toBe(false);
    expect(await page.getByLabel('Your question').isEnabled()).toBe(true);
  });

  it('signs in by name where the server has the development login on', async () => {
    const peer = await open({ logins: { 'alice-smith': GOOD } });
    await page.getByLabel('Your name').fill('Nobody');
    await page.keyboard.press('Enter');
    await sees('[role=alert]', 'Not allowed');
    complaints = complaints.filter((line) => !line.includes('403'));
    await page.getByLabel('Your name').fill('Alice Smith');
    await page.keyboard.press('Enter');
    await accept(peer);
  });

  it('offers no login by name where the server has it off', async () => {
    const asked = page.waitForResponse('**/api/v1/dev/login');
    await open();
    await (await asked).finished();
    await sees('#state', 'Connected');
    expect(await page.getByLabel('Your name').isVisible()).toBe(false);
    expect(await page.getByLabel('Access token').isVisible()).toBe(true);
  });

  it('sends on Enter, breaks the line on Shift+Enter, and asks an example on one click', async () => {
    const peer = await openSignedIn();
    await page.getByLabel('Your question').fill('one');
    await page.keyboard.press('Shift+Enter');
    await page.keyboard.type('two');
    await page.keyboard.press('Enter');
    const first = await peer.next();
    expect(first).toMatchObject({ type: 'message', message: 'one\ntwo', message_id: expect.any(String) });
    peer.send({ type: 'complete', response: 'ok', session_id: 's', metadata: {} });
    await page.getByRole('button', { name: 'What is the engine power?' }).click();
    const second = await peer.next();
    expect(second).toMatchObject({ message: 'What is the engine power?', session_id: 's' });
    expect(second.message_id).not.toBe(first.message_id);
  });

  it('lights the steps up one after the other', async () => {
    const peer = await openSignedIn();
    await ask('q');
    await peer.next();
    for (const [index, step] of STEPS.entries()) {
      peer.send({ type: 'progress', step, message: `doing ${step}` });
      await sees('.step-text', `doing ${step}`);
      expect(await stepsMarked('now')).toEqual([step]);
      expect(await stepsMarked('done')).toEqual(STEPS.slice(0, index));
    }
    expect(await page.locator('.steps li').allTextContents()).toEqual(['Start', 'Route', 'Search', 'Write']);
    peer.send({ type: 'complete', response: 'ok', session_id: 's', metadata: {} });
    await expect.poll(() => stepsMarked('done')).toEqual(STEPS);
  });

  it('shows tokens as they come, and how the answer came about when it is complete', async () => {
    const peer = await openSignedIn();
    await ask('q');
    await peer.next();
    peer.send({ type: 'token', token: 'It has ', partial_response: 'It has ' });
    await sees('.answer', 'It has');
    expect(await page.locator('article').getAttribute('aria-busy')).toBe('true');
    expect(await page.locator('.facts').count()).toBe(0);
    // A server may leave the accumulation out for a slow reader.
    peer.send({ type: 'token', token: '180 kW.' });
    await sees('.answer', 'It has 180 kW.');
    peer.send({ type: 'complete', response: 'It has 180 kW.', session_id: 's', metadata: METADATA });
    await sees('.facts', 'engine.md, towing.md');
    const facts = await page.locator('.facts').textContent();
    for (const fact of ['specs', '95 %', '120 input tokens, 45 output tokens']) expect(facts).toContain(fact);
    expect(await page.locator('.answer').textContent()).toBe('It has 180 kW.');
    expect(await page.locator('article').getAttribute('aria-busy')).toBe('false');
  });

  it('shows an error with code and correlation id, and asks again under a new message id', async () => {
    const peer = await openSignedIn();
    await ask('q');
    const first = await peer.next();
    const error = { type: 'error', error: 'No answer', code: 'PROCESSING_ERROR', correlation_id: 'c-123' };
    peer.send({ type: 'progress', step: 'generating', message: '' }, error);
    await sees('.error', 'PROCESSING_ERROR');
    await sees('.error', 'c-123');
    expect(await stepsMarked('failed')).toEqual(['generating']);
    await page.getByRole('button', { name: 'Ask again' }).click();
    const second = await peer.next();
    expect(second).toMatchObject({ message: 'q', session_id: first.session_id });
    expect(second.message_id).not.toBe(first.message_id);
  });

  it('keeps markup in questions, answers, sources and errors as text', async () => {
    const evil = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>`;
    const peer = await openSignedIn();
    await ask(evil);
    await peer.next();
    peer.send({ type: 'token', token: evil, partial_response: evil });
    await sees('.answer', evil);
    const metadata = { ...METADATA, agent: evil, context: { sources: [evil] } };
    peer.send({ type: 'complete', response: evil, session_id: evil, metadata });
    await sees('.facts', evil);
    await ask('q');
    await peer.next();
    peer.send({ type: 'error', error: evil, code: evil, correlation_id: evil });
    await sees('.error', evil);
    expect(await page.locator('body img').count()).toBe(0);
    expect(await page.locator('script').count()).toBe(1);
    expect(await page.title()).toBe('WebSocket Chat Test');
  });

  it('comes back after a lost connection, signs in again, and sends the open question again', async () => {
    const peer = await openSignedIn();
    await ask('q');
    const asked = await peer.next();
    peer.send({ type: 'token', token: 'Half ', partial_response: 'Half ' });
    await sees('.answer', 'Half');
    peer.drop();
    const second = await server.connection();
    await accept(second);
    expect(await second.next()).toEqual(asked);
    // Told again from the start, with and without the accumulation, it must not stand there twice.
    second.send({ type: 'token', token: 'Half ' }, { type: 'token', token: 'an answer' });
    await sees('.answer', 'Half an answer');
    expect(await page.locator('.answer').allTextContents()).toEqual(['Half an answer']);
  });

  it('goes on with an open question after a reload of the page', async () => {
    const peer = await openSignedIn();
    await ask('q');
    const asked = await peer.next();
    await page.reload();
    const second = await server.connection();
    await accept(second);
    expect(await second.next()).toEqual(asked);
    expect(page.url()).toBe(server.url);
  });

  it('stays away after sign-out and forgets token and conversation', async () => {
    await page.clock.install();
    const peer = await openSignedIn();
    await ask('secret question');
    await peer.next();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.clock.fastForward(60_000);
    await sees('#state', 'Signed out');
    expect(await page.getByText('secret question').count()).toBe(0);
    expect(await page.evaluate('JSON.stringify(sessionStorage)')).toBe('{}');
  });

  it('stays away after close 4001 and sends the open question once signed in again', async () => {
    await page.clock.install();
    const peer = await openSignedIn();
    await ask('q');
    const asked = await peer.next();
    peer.close(4001, 'Token expired');
    await sees('#state', 'Disconnected: Token expired');
    await page.clock.fastForward(60_000);
    await sees('#state', 'Disconnected: Token expired');
    await page.getByLabel('Access token').fill(GOOD);
    await page.keyboard.press('Enter');
    const second = await server.connection();
    await accept(second);
    expect(await second.next()).toEqual(asked);
  });

  it('keeps the last 200 raw frames, without the token', async () => {
    const peer = await openSignedIn();
    await page.getByText('Raw frames').click();
    await sees('#frames', '{"type":"auth","token":"…"}');
    expect(await page.locator('#frames').textContent()).not.toContain(GOOD);
    for (let n = 1; n <= 250; n++) peer.send({ type: 'progress', step: 'starting', message: `frame ${n}.` });
    await sees('#frames', 'frame 250.');
    expect(await page.locator('#frames li').count()).toBe(200);
    expect(await page.locator('#frames li').first().textContent()).toContain('frame 51.');
  });
});
