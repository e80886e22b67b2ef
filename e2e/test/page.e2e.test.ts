/** What a person sees on `/ws/test` in Chromium with every real service behind it. */
import { findChromium, needs, type Stack, startStack } from '@natter/testkit';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

const missing = needs('chromium');
/** 100 tokens, as many as an answer from the sample has, take 5 s. */
const SLOW = { tokensPerSecond: 20 };
const FAST = { tokensPerSecond: 0 };
/** Two slow cores may start a browser and six services at once. */
const WAIT_MS = 30_000;
const EVERY_STEP = ['starting', 'agent_routing', 'rag_retrieval', 'generating'];

describe('the test page of a running stack', () => {
  let stack: Stack;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let violations: string[];

  beforeAll(async () => {
    if (missing !== null) return;
    stack = await startStack({ env: { NATTER_DEV_LOGIN: 'true' } });
    browser = await chromium.launch({
      executablePath: findChromium() ?? undefined,
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
    });
  });
  afterAll(async () => {
    await browser?.close();
    await stack?.stop();
  });

  beforeEach(async ({ skip }) => {
    skip(missing !== null, missing ?? '');
    context = await browser.newContext();
    page = await context.newPage();
    page.setDefaultTimeout(20_000);
    violations = [];
    page.on('pageerror', (error) => violations.push(error.message));
    page.on('console', (line) => {
      if (/security policy|trusted/i.test(line.text())) violations.push(line.text());
    });
    await page.goto(`${stack.httpUrl(0)}/ws/test`);
  });
  afterEach(async () => {
    await context?.close();
    expect(violations).toEqual([]);
  });

  const last = (selector: string) => page.locator(selector).filter({ visible: true }).last();
  const textOf = (selector: string) => last(selector).textContent();
  const sees = (selector: string, text: string | RegExp) =>
    expect.poll(() => textOf(selector), { timeout: WAIT_MS }).toMatch(text);

  async function signIn(): Promise<void> {
    await page.getByLabel('Access token').fill(await stack.token({ sub: 'alice', name: 'Alice' }));
    await page.getByRole('button', { name: 'Use token' }).click();
    await sees('#state', 'Authenticated as Alice');
  }

  async function ask(question: string): Promise<void> {
    await page.getByLabel('Your question').fill(question);
    await page.keyboard.press('Enter');
  }

  it('answers in the sight of the person: steps, tokens, then where it comes from', async () => {
    await stack.demo.behave(SLOW);
    await signIn();
    await ask('What is the engine power?');
    await sees('.steps .now', 'Write');
    const early = (await textOf('.answer')) ?? '';
    expect(await last('article').getAttribute('aria-busy')).toBe('true');
    expect(await page.locator('.facts').count()).toBe(0);
    await expect.poll(() => textOf('.answer'), { timeout: WAIT_MS }).not.toBe(early);
    await stack.demo.behave(FAST);
    await sees('.facts', /Agent\s*specs/);
    await sees('.facts', /Sources\s*\S+\.(md|txt)/);
    const whole = (await textOf('.answer')) ?? '';
    expect(whole.startsWith(early)).toBe(true);
    expect(whole).toMatch(/\d+\s*(kW|hp|PS)/i);
    const done = page.locator('.steps .done');
    expect(await done.evaluateAll((all) => all.map((step) => step.getAttribute('data-step')))).toEqual(
      EVERY_STEP,
    );
  });

  it('is served with one policy and may not be sniffed, framed or stored', async () => {
    const { headers } = await fetch(`${stack.httpUrl(0)}/ws/test`);
    expect(headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'sha256-");
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('cache-control')).toBe('no-store');
  });

  it('says that a token is not accepted, and lets in with a good one', async () => {
    await page.getByLabel('Access token').fill('not.a.token');
    await page.keyboard.press('Enter');
    await sees('[role=alert]', 'Invalid token');
    await signIn();
  });

  it('signs in by name through the development login', async () => {
    await page.getByLabel('Your name').fill('Bob Builder');
    await page.keyboard.press('Enter');
    await sees('#state', 'Authenticated as Bob Builder');
  });

  it('shows one error with its code and correlation id when the model fails', async () => {
    await signIn();
    await stack.demo.behave({ ...FAST, fault: { kind: 'cut', afterTokens: 3 } });
    await ask('What is the engine power?');
    await sees('.error', 'PROCESSING_ERROR');
    await sees('.error', /Correlation id: \S+/);
    expect(await page.locator('.error').count()).toBe(1);
    await stack.demo.behave({ fault: { kind: 'none' } });
    await page.getByRole('button', { name: 'Ask again' }).click();
    await sees('.facts', 'specs');
  });

  it('goes on with the answer after its gateway was killed and came back', async () => {
    await stack.demo.behave(SLOW);
    await signIn();
    await ask('What is the engine power?');
    await sees('.answer', /\S/);
    await stack.gateways[0]?.kill();
    await sees('#state', 'Disconnected');
    await stack.gateways[0]?.restart();
    await stack.demo.behave(FAST);
    await sees('#state', 'Authenticated as Alice');
    await sees('.facts', 'specs');
    expect(await page.locator('.answer').filter({ visible: true }).count()).toBe(1);
    expect(await page.locator('.question').count()).toBe(1);
  });
});
