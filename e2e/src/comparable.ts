/** Makes the answers to two attempts comparable: the same but for what must differ. */
import type { Frame } from '@natter/testkit';
import type { Attacker, Prey } from './access-attempts.ts';
import type { Outcome } from './intruder.ts';

/** New with each answer. Errors have the first one only. */
const FRESH = new Set([
  'correlation_id',
  'timestamp',
  'server_time',
  'joined_at',
  'created_at',
  'last_activity',
  'connection_id',
  'cursor',
  'position',
  'response_time',
  'response_time_ms',
]);
/** Made up by the gateway where a client names none. */
const MADE_UP = /^(?:[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-z]{26})$/;

/** One line for each frame; of an answer without its pieces, and in no order. */
export function comparable(outcome: Outcome, prey: Prey, attacker: Attacker, asks = false): string[] {
  const lines = outcome.frames
    .filter((frame) => !asks || !isPiece(frame))
    .map((frame) => JSON.stringify(masked(frame)))
    .map((line) => anonymous(line, prey, attacker));
  const closed = anonymous(String(outcome.closed), prey, attacker);
  // A confirmation may overtake the answer or not.
  return [...(asks ? lines.sort() : lines), closed];
}

/** The bytes of an HTTP answer without its correlation id. */
export function comparableHttp(text: string, prey: Prey, attacker: Attacker): string {
  return anonymous(text.replace(/"correlation_id":"[0-9a-f]{32}"/, ''), prey, attacker);
}

function anonymous(text: string, prey: Prey, { sub }: Attacker): string {
  return text.replaceAll(prey.id, 'THE ID').replaceAll(prey.message, 'THE MESSAGE').replaceAll(sub, 'ME');
}

function masked(value: Frame): Frame {
  if (Array.isArray(value)) return value.map(masked);
  if (typeof value === 'string') return MADE_UP.test(value) ? 'MADE UP' : value;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, FRESH.has(key) ? 'FRESH' : masked(inner)]),
  );
}

/** How an answer is cut into pieces is a matter of time. */
function isPiece({ type, data, meta }: Frame): boolean {
  if (type === 'chat') return data.streaming === true;
  return type === 'token' || type === 'agent_partial' || (type === 'response' && !meta.last_chunk);
}
