/** What the page does when its connection, its token or its person goes, in Chromium. */
import { describe, expect, it } from 'vitest';
import { GOOD_TOKEN, seeThePage } from './see-the-page.ts';

describe('the test page after a loss', () => {
  const person = seeThePage();
  const { openSignedIn, accept, ask, sees } = person;

  it('comes back after a lost connection, signs in again, and sends the open question again', async () => {
    const peer = await openSignedIn();
    await ask('q');
    const asked = await peer.next();
    peer.send({ type: 'token', token: 'Half ', partial_response: 'Half ' });
    await sees('.answer', 'Half');
    peer.drop();
    const second = await person.server.connection();
    await accept(second);
    expect(await second.next()).toEqual(asked);
    // Told again from the start, with and without the accumulation, it must not stand there twice.
    second.send({ type: 'token', token: 'Half ' }, { type: 'token', token: 'an answer' });
    await sees('.answer', 'Half an answer');
    expect(await person.page.locator('.answer').allTextContents()).toEqual(['Half an answer']);
  });

  it('goes on with an open question after a reload of the page', async () => {
    const peer = await openSignedIn();
    await ask('q');
    const asked = await peer.next();
    await person.page.reload();
    const second = await person.server.connection();
    await accept(second);
    expect(await second.next()).toEqual(asked);
    expect(person.page.url()).toBe(person.server.url);
  });

  it('stays away after sign-out and forgets token and conversation', async () => {
    const peer = await openSignedIn();
    await person.stopClock();
    await ask('secret question');
    await peer.next();
    await person.page.getByRole('button', { name: 'Sign out' }).click();
    await person.passTime(60_000);
    await sees('#state', 'Signed out');
    expect(await person.page.getByText('secret question').count()).toBe(0);
    expect(await person.page.evaluate('JSON.stringify(sessionStorage)')).toBe('{}');
  });

  it('stays away after close 4001 and sends the open question once signed in again', async () => {
    const peer = await openSignedIn();
    await person.stopClock();
    await ask('q');
    const asked = await peer.next();
    peer.close(4001, 'Token expired');
    await sees('#state', 'Disconnected: Token expired');
    await person.passTime(60_000);
    await sees('#state', 'Disconnected: Token expired');
    await person.page.getByLabel('Access token').fill(GOOD_TOKEN);
    await person.page.keyboard.press('Enter');
    const second = await person.server.connection();
    await accept(second);
    expect(await second.next()).toEqual(asked);
  });

  it('sends no question to a new chat that belongs to the one before', async () => {
    const peer = await openSignedIn();
    await ask('old question');
    const asked = await peer.next();
    await person.page.getByRole('button', { name: 'New chat' }).click();
    const second = await person.server.connection();
    await accept(second);
    await ask('new question');
    const next = await second.next();
    expect(next).toMatchObject({ type: 'message', message: 'new question' });
    expect(next.session_id).not.toBe(asked.session_id);
    expect(await person.page.getByText('old question').count()).toBe(0);
  });

  it('shows another person in the same tab nothing of the one before', async () => {
    const peer = await openSignedIn();
    await ask('question of Alice');
    const asked = await peer.next();
    peer.close(4001, 'Token expired');
    await sees('#state', 'Token expired');
    await person.page.getByLabel('Access token').fill('token of Bob');
    await person.page.keyboard.press('Enter');
    const second = await person.server.connection();
    expect(await second.next()).toEqual({ type: 'auth', token: 'token of Bob' });
    second.send({ type: 'auth_success', message: 'ok', user: { id: 'bob', email: null, name: 'Bob' } });
    await sees('#state', 'Authenticated as Bob');
    await ask('question of Bob');
    const next = await second.next();
    expect(next.message).toBe('question of Bob');
    expect(next.session_id).not.toBe(asked.session_id);
    expect(await person.page.getByText('question of Alice').count()).toBe(0);
  });

  it('gives an open question up after five connections that broke over it', async () => {
    let peer = await openSignedIn();
    await person.stopClock();
    await ask('q');
    for (let broken = 0; broken < 6; broken++) {
      expect(await peer.next()).toMatchObject({ message: 'q' });
      peer.drop();
      await sees('#state', 'Disconnected');
      await person.passTime(20_000);
      peer = await person.server.connection();
      await accept(peer);
    }
    await sees('.error', 'GAVE_UP');
  });

  it('waits and tries again when the server cannot judge the token just now', async () => {
    const peer = await person.open();
    await person.page.getByLabel('Access token').fill(GOOD_TOKEN);
    await person.page.keyboard.press('Enter');
    await peer.next();
    peer.send({ type: 'error', error: 'Service unavailable', code: 'UNAVAILABLE' });
    await accept(await person.server.connection());
  });
});
