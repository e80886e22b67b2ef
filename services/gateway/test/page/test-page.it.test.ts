/** What a person sees on the page in Chromium while a scripted server plays the gateway. */
import { describe, expect, it } from 'vitest';
import { GOOD_TOKEN, seeThePage } from './see-the-page.ts';

const STEPS = ['starting', 'agent_routing', 'rag_retrieval', 'generating'];
const METADATA = {
  agent: 'specs',
  confidence: 0.95,
  context: { sources: ['engine.md', 'towing.md'] },
  model: 'demo',
  usage: { input_tokens: 120, output_tokens: 45 },
};

describe('the test page', () => {
  const person = seeThePage();
  const { open, openSignedIn, accept, ask, sees } = person;
  const stepsMarked = (how: string) =>
    person.page
      .locator(`.steps .${how}`)
      .evaluateAll((all) => all.map((step) => step.getAttribute('data-step')));

  it('says in words whether it is connecting, connected, authenticated or disconnected', async () => {
    let letIn = () => {};
    const opened = open({ gate: new Promise((resolve) => (letIn = resolve)) });
    await sees('#state', 'Connecting');
    letIn();
    const peer = await opened;
    await sees('#state', 'Connected, not signed in');
    await person.page.getByLabel('Access token').fill(`Bearer ${GOOD_TOKEN}`);
    await person.page.keyboard.press('Enter');
    await accept(peer);
    await person.stopClock();
    peer.close(1012, 'Service restart');
    await sees('#state', 'Disconnected, trying again');
  });

  it('shows why a token was refused, and takes a good one on the same socket', async () => {
    const peer = await open();
    expect(await person.page.getByLabel('Your question').isDisabled()).toBe(true);
    await person.page.getByLabel('Access token').fill('bad');
    await person.page.getByRole('button', { name: 'Use token' }).click();
    expect(await peer.next()).toEqual({ type: 'auth', token: 'bad' });
    peer.send({ type: 'auth_error', message: 'Invalid token', code: 'TOKEN_EXPIRED' });
    await sees('[role=alert]', 'Invalid token (TOKEN_EXPIRED)');
    await person.page.getByLabel('Access token').fill(GOOD_TOKEN);
    await person.page.getByRole('button', { name: 'Use token' }).click();
    await accept(peer);
    expect(await person.page.locator('[role=alert]').textContent()).toBe('');
    expect(await person.page.locator('#sign-in').isVisible()).toBe(false);
    expect(await person.page.getByLabel('Your question').isEnabled()).toBe(true);
  });

  it('signs in by name where the server has the development login on', async () => {
    const peer = await open({ logins: { 'alice-smith': GOOD_TOKEN } });
    await person.page.getByLabel('Your name').fill('Nobody');
    await person.page.keyboard.press('Enter');
    await sees('[role=alert]', 'Not allowed');
    person.forgive('403');
    await person.page.getByLabel('Your name').fill('Alice Smith');
    await person.page.keyboard.press('Enter');
    await accept(peer);
  });

  it('offers no login by name where the server has it off', async () => {
    const asked = person.page.waitForResponse('**/api/v1/dev/login');
    await open();
    await (await asked).finished();
    await sees('#state', 'Connected');
    expect(await person.page.getByLabel('Your name').isVisible()).toBe(false);
    expect(await person.page.getByLabel('Access token').isVisible()).toBe(true);
  });

  it('sends on Enter, breaks the line on Shift+Enter, and asks an example on one click', async () => {
    const peer = await openSignedIn();
    await person.page.getByLabel('Your question').fill('one');
    await person.page.keyboard.press('Shift+Enter');
    await person.page.keyboard.type('two');
    await person.page.keyboard.press('Enter');
    const first = await peer.next();
    expect(first).toMatchObject({ type: 'message', message: 'one\ntwo', message_id: expect.any(String) });
    peer.send({ type: 'complete', response: 'ok', session_id: 's', metadata: {} });
    await person.page.getByRole('button', { name: 'What is the engine power?' }).click();
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
    expect(await person.page.locator('.steps li').allTextContents()).toEqual([
      'Start',
      'Route',
      'Search',
      'Write',
    ]);
    peer.send({ type: 'complete', response: 'ok', session_id: 's', metadata: {} });
    await expect.poll(() => stepsMarked('done')).toEqual(STEPS);
  });

  it('shows tokens as they come, and how the answer came about when it is complete', async () => {
    const peer = await openSignedIn();
    await ask('q');
    await peer.next();
    peer.send({ type: 'token', token: 'It has ', partial_response: 'It has ' });
    await sees('.answer', 'It has');
    expect(await person.page.locator('article').getAttribute('aria-busy')).toBe('true');
    expect(await person.page.locator('.facts').count()).toBe(0);
    // A server may leave the accumulation out for a slow reader.
    peer.send({ type: 'token', token: '180 kW.' });
    await sees('.answer', 'It has 180 kW.');
    peer.send({ type: 'complete', response: 'It has 180 kW.', session_id: 's', metadata: METADATA });
    await sees('.facts', 'engine.md, towing.md');
    const facts = await person.page.locator('.facts').textContent();
    for (const fact of ['specs', '95 %', '120 input tokens, 45 output tokens']) expect(facts).toContain(fact);
    expect(await person.page.locator('.answer').textContent()).toBe('It has 180 kW.');
    expect(await person.page.locator('article').getAttribute('aria-busy')).toBe('false');
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
    await person.page.getByRole('button', { name: 'Ask again' }).click();
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
    expect(await person.page.locator('body img').count()).toBe(0);
    expect(await person.page.locator('script').count()).toBe(1);
    expect(await person.page.title()).toBe('WebSocket Chat Test');
  });

  it('keeps the last 200 raw frames, without the token', async () => {
    const peer = await openSignedIn();
    await person.page.getByText('Raw frames').click();
    await sees('#frames', '{"type":"auth","token":"…"}');
    expect(await person.page.locator('#frames').textContent()).not.toContain(GOOD_TOKEN);
    for (let n = 1; n <= 250; n++) peer.send({ type: 'progress', step: 'starting', message: `frame ${n}.` });
    await sees('#frames', 'frame 250.');
    expect(await person.page.locator('#frames li').count()).toBe(200);
    expect(await person.page.locator('#frames li').first().textContent()).toContain('frame 51.');
  });

  it('keeps the end of the answer in view on a narrow screen, unless the person scrolls up', async () => {
    await person.page.setViewportSize({ width: 360, height: 640 });
    const peer = await openSignedIn();
    await ask('q');
    await peer.next();
    const lines = (count: number) => Array.from({ length: count }, (_, n) => `line ${n + 1}.`).join('\n');
    const distance = () =>
      person.page.locator('#log').evaluate((log) => log.scrollHeight - log.scrollTop - log.clientHeight);
    for (const count of [20, 40, 60]) {
      peer.send({ type: 'token', token: '', partial_response: lines(count) });
      await sees('.answer', `line ${count}.`);
      await expect.poll(distance).toBeLessThan(2);
    }
    await person.page.locator('#log').hover();
    await person.page.mouse.wheel(0, -400);
    await expect.poll(distance).toBeGreaterThan(300);
    peer.send({ type: 'complete', response: lines(80), session_id: 's', metadata: METADATA });
    await sees('.facts', 'specs');
    expect(await distance()).toBeGreaterThan(300);
    expect(await person.page.locator('body').evaluate((body) => body.scrollWidth)).toBeLessThanOrEqual(360);
  });
});
