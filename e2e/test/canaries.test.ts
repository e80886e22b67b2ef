/** The search for canaries finds them in every form in which something may let them out. */
import { describe, expect, it } from 'vitest';
import { Canaries } from '../src/canaries.ts';

const canaries = new Canaries();
const secret = canaries.plant('here');
canaries.plant('elsewhere');

describe('a canary', () => {
  it.each([
    ['as it is', secret],
    ['inside of a line', `{"msg":"refused ${secret} of alice"}`],
    [
      'a part of it, as the errors of JSON.parse quote',
      `Unexpected token 'c', "${secret.slice(0, 20)}"... is not`,
    ],
    ['its end', `…${secret.slice(-12)}`],
    [
      'escaped as in a URL',
      `%7B%22token%22%3A%22${[...Buffer.from(secret)].map((byte) => `%${byte.toString(16)}`).join('')}`,
    ],
    ['in capitals', secret.toUpperCase()],
    ['in hex', Buffer.from(`a=${secret}`).toString('hex')],
    ['as a Buffer in JSON', JSON.stringify({ body: Buffer.from(`a=${secret}`) })],
    ...['', 'u', 'us', 'user:'].map((user) => [
      `in base64, behind ${user.length} characters`,
      Buffer.from(user + secret).toString('base64'),
    ]),
  ])('is found %s', (_form, text) => {
    expect(canaries.in(text)).toEqual(['here']);
  });

  it('is not found where it is not', () => {
    expect(canaries.in('{"level":"info","msg":"canary-0123456789abcdef","by":"nk_abc"}')).toEqual([]);
  });
});

it.each([
  ['a signed token', `eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhbGljZSJ9.${'s'.repeat(43)}`],
  ['an API key', `nk_abcdefghijklmno1_${'s'.repeat(43)}`],
  ['the seed of an nkey', `SU${'A'.repeat(56)}`],
])('%s is found although nobody planted it', (_what, text) => {
  expect(new Canaries().in(`of ${text}, said`)).toHaveLength(1);
});

it('of a signed token the signature is the secret', () => {
  const mine = new Canaries();
  mine.plantText('a token', `eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhbGljZSJ9.${'0123456789'.repeat(5)}`);
  expect(mine.in('the header eyJhbGciOiJFZERTQSJ9 is known to all')).toEqual([]);
  expect(mine.in('0123456789'.repeat(2))).toEqual(['a token']);
});
