import { expect, test } from 'vitest';
import { fixedKey, ownToken } from '../../logs/credential.ts';

function tokens() {
  const clock = { now: 0 };
  let made = 0;
  const credential = ownToken(
    async () => {
      made += 1;
      return `token ${made}`;
    },
    () => clock.now,
  );
  return { clock, credential };
}

test('a token is used again until it is about to expire', async () => {
  const { clock, credential } = tokens();
  expect(await credential.value()).toBe('token 1');
  clock.now = 13 * 60_000;
  expect(await credential.value()).toBe('token 1');
  clock.now = 14 * 60_000;
  expect(await credential.value()).toBe('token 2');
});

test('a token that was used before and is refused is replaced, a new one is not', async () => {
  const { credential } = tokens();
  await credential.value();
  await credential.value();
  expect(credential.renew()).toBe(true);
  expect(await credential.value()).toBe('token 2');
  expect(credential.renew()).toBe(false);
});

test('a key that is refused stays refused', () => {
  expect(fixedKey('nk_1').renew()).toBe(false);
});
