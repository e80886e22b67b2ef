/** The public keys of the stack under test, for peers that check the same tokens. */
import type { Stack } from '@natter/testkit';
import type { JSONWebKeySet } from 'jose';

const ANSWER_MS = 10_000;

export async function tokenKeysOf(stack: Stack): Promise<JSONWebKeySet> {
  const url = `${stack.httpUrl()}/.well-known/jwks.json`;
  const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
  if (!response.ok) throw new Error(`${url} was answered with ${response.status}`);
  return (await response.json()) as JSONWebKeySet;
}
