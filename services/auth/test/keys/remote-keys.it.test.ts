import { frozenClock } from '@natter/testkit';
import { expect, it } from 'vitest';
import { RemoteKeys } from '../../src/keys/remote-keys.ts';
import { LOG } from '../forge.ts';
import { type KeyServer, startKeyServer } from '../key-server.ts';

const rs256 = (kid: string) => ({ alg: 'RS256', kid });
const UNAVAILABLE = { code: 'KEYS_UNAVAILABLE' };
const MINUTE = 60_000;

async function remote(timeoutMs = 2_000) {
  const server = await startKeyServer();
  const clock = frozenClock();
  return { server, clock, keys: new RemoteKeys(server.url, LOG, { timeoutMs }, clock.now) };
}

/** Ends when the server has been asked this often, whatever the time that takes. */
async function asked(server: KeyServer, times: number): Promise<void> {
  await expect.poll(() => server.requests, { timeout: 5_000 }).toBe(times);
}

it('fetches the keys once for all who ask at the same time', async () => {
  const { server, keys } = await remote();
  server.rotate('k1');
  const found = await Promise.all(Array.from({ length: 50 }, () => keys.key(rs256('k1'))));
  expect(found.every((key) => key?.type === 'public')).toBe(true);
  expect(server.requests).toBe(1);
});

it('finds a key that was published after the first fetch', async () => {
  const { server, keys, clock } = await remote();
  server.rotate('k1');
  await keys.key(rs256('k1'));
  server.rotate('k2');
  clock.advance(31_000);
  expect(await keys.key(rs256('k2'))).not.toBeNull();
  expect(await keys.key(rs256('k1'))).toBeNull();
});

it('does not let invented key ids ask the provider again and again', async () => {
  const { server, keys, clock } = await remote();
  server.rotate('k1');
  await keys.key(rs256('k1'));
  for (let id = 0; id < 20; id++) expect(await keys.key(rs256(`invented-${id}`))).toBeNull();
  expect(server.requests).toBe(1);
  clock.advance(31_000);
  for (let id = 0; id < 20; id++) expect(await keys.key(rs256(`invented-${id}`))).toBeNull();
  expect(server.requests).toBe(2);
});

it('renews keys in the background, without making anybody wait', async () => {
  const { server, keys, clock } = await remote();
  server.rotate('k1');
  await keys.key(rs256('k1'));
  clock.advance(6 * MINUTE);
  server.answerWith(() => undefined);
  expect(await keys.key(rs256('k1'))).not.toBeNull();
  await asked(server, 2);
});

it('does not use a withdrawn key after a quiet time', async () => {
  const { server, keys, clock } = await remote();
  server.rotate('k1');
  await keys.key(rs256('k1'));
  server.rotate('k2');
  clock.advance(11 * MINUTE);
  expect(await keys.key(rs256('k1'))).toBeNull();
});

it('makes nobody wait for overdue keys while the provider fails', async () => {
  const { server, keys, clock } = await remote(100);
  server.rotate('k1');
  await keys.key(rs256('k1'));
  server.answerWith(() => undefined);
  clock.advance(11 * MINUTE);
  expect(await keys.key(rs256('k1'))).not.toBeNull();
  clock.advance(MINUTE);
  expect(await keys.key(rs256('k1'))).not.toBeNull();
  await asked(server, 3);
});

it('goes on with the keys it has while the provider is down, for an hour', async () => {
  const { server, keys, clock } = await remote();
  server.rotate('k1');
  await keys.key(rs256('k1'));
  await server.stop();
  clock.advance(59 * MINUTE);
  expect(await keys.key(rs256('k1'))).not.toBeNull();
  clock.advance(2 * MINUTE);
  await expect(keys.key(rs256('k1'))).rejects.toMatchObject(UNAVAILABLE);
});

it('cannot tell about an unknown key id while the provider is down', async () => {
  const { server, keys, clock } = await remote();
  server.rotate('k1');
  await keys.key(rs256('k1'));
  await server.stop();
  clock.advance(31_000);
  await expect(keys.key(rs256('k2'))).rejects.toMatchObject(UNAVAILABLE);
});

it('rests after a failure, then tries again', async () => {
  const { server, keys, clock } = await remote();
  server.rotate('k1');
  server.answerWith((_request, response) => response.writeHead(500).end());
  for (let ask = 0; ask < 5; ask++) await expect(keys.key(rs256('k1'))).rejects.toMatchObject(UNAVAILABLE);
  expect(server.requests).toBe(1);
  server.answerWith(null);
  clock.advance(2_000);
  expect(await keys.key(rs256('k1'))).not.toBeNull();
});

it('gives up on a provider that does not answer in time', async () => {
  const { server, keys } = await remote(100);
  server.answerWith(() => undefined);
  await expect(keys.key(rs256('k1'))).rejects.toMatchObject(UNAVAILABLE);
});

it('gives up on a provider that stops in the middle of its answer', async () => {
  const { server, keys } = await remote(100);
  server.answerWith((_request, response) => response.write('{"keys":['));
  await expect(keys.key(rs256('k1'))).rejects.toMatchObject(UNAVAILABLE);
});

it.each([
  ['no JSON', '<html>'],
  ['no key set', '{"keys":"all"}'],
  ['no keys at all', '{}'],
  ['more than 100 keys', JSON.stringify({ keys: Array.from({ length: 101 }, () => ({ kty: 'RSA' })) })],
  ['more than 256 KiB', JSON.stringify({ keys: [], pad: 'x'.repeat(300_000) })],
])('refuses an answer with %s', async (_what, body) => {
  const { server, keys } = await remote();
  server.answerWith((_request, response) => response.end(body));
  await expect(keys.key(rs256('k1'))).rejects.toMatchObject(UNAVAILABLE);
});

it('does not follow a redirect', async () => {
  const { server, keys } = await remote();
  server.answerWith((_request, response) => response.writeHead(302, { location: server.url }).end());
  await expect(keys.key(rs256('k1'))).rejects.toMatchObject(UNAVAILABLE);
  expect(server.requests).toBe(1);
});

it('does not try one key after the other for a token without a key id', async () => {
  const { server, keys } = await remote();
  server.rotate('k1');
  const response = await fetch(server.url);
  const [key] = ((await response.json()) as { keys: object[] }).keys;
  const two = JSON.stringify({ keys: [key, { ...key, kid: 'k2' }] });
  server.answerWith((_request, answer) => answer.end(two));
  expect(await keys.key({ alg: 'RS256' })).toBeNull();
});
