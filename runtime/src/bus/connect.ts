/** Connects to the broker with the settings that PITFALLS and docs/decisions/0001 call for. */
import { readFile } from 'node:fs/promises';
import { connect, type NatsConnection, nkeyAuthenticator } from '@nats-io/transport-node';
import { redactText } from '../logger.ts';
import { BusError } from './errors.ts';

export interface BusOptions {
  /** One URL or several separated by commas. */
  url: string;
  /** Shows in the broker's connection list; prefix of the private inbox. */
  name: string;
  /** File with an nkey seed, or null for no sign-in. */
  nkeyFile?: string | null;
  /** How long the first connection may take, in milliseconds. */
  connectTimeoutMs?: number;
}

/**
 * Dials until the broker answers.
 *
 * Throws BusError UNAVAILABLE, with the address and without credentials, when it doesn't within
 * `connectTimeoutMs` (default 10,000). After that the connection comes back by itself for ever.
 */
export async function dial(options: BusOptions): Promise<NatsConnection> {
  const deadline = Date.now() + (options.connectTimeoutMs ?? 10_000);
  const seed = options.nkeyFile ? (await readFile(options.nkeyFile)).subarray().toString().trim() : null;
  for (let delayMs = 50; ; delayMs = Math.min(delayMs * 2, 500)) {
    try {
      return await connect({
        servers: options.url.split(',').map((url) => url.trim()),
        name: options.name,
        inboxPrefix: inboxPrefix(options.name),
        ...(seed === null ? {} : { authenticator: nkeyAuthenticator(new TextEncoder().encode(seed)) }),
        timeout: Math.max(100, Math.min(3_000, deadline - Date.now())),
        maxReconnectAttempts: -1,
        reconnectTimeWait: 100,
        reconnectJitter: 200,
        ignoreAuthErrorAbort: true,
        // A dead link is noticed after two missed pings, 6 to 9 s, not after 6 minutes.
        pingInterval: 3_000,
        maxPingOut: 2,
        // A stack captured for each request costs more than the request.
        noAsyncTraces: true,
      });
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      if (/authoriz|nkey|permission/i.test(text) || Date.now() + delayMs >= deadline) {
        throw new BusError(
          'UNAVAILABLE',
          `The broker at ${withoutCredentials(options.url)} can't be reached: ${redactText(text)}`,
          error,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, delayMs));
    }
  }
}

/** Answers to one service; the plain `_INBOX` would let each read the answers to all. */
export function inboxPrefix(name: string): string {
  return `_INBOX_${name}`;
}

function withoutCredentials(urls: string): string {
  return urls.replace(/\/\/[^@/,]*@/g, '//');
}
