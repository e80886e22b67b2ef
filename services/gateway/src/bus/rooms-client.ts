/** Asks the auth service who may be where. */
import {
  ACCESS_AT_ONCE,
  AccessManyReply,
  type AccessManyRequest,
  conversationName,
  RoomsReply,
  type RoomsRequest,
  SUBJECTS,
} from '@natter/proto';
import { type Bus, whileUnavailable } from '@natter/runtime';
import { Batches } from './batches.ts';

type Access = AccessManyRequest['asks'][number];

/** Of the questions of one request; as many as there may be have 1 KB each. */
const BATCH_BYTES = 128 * 1024;

const decoder = new TextDecoder();

export class RoomsClient {
  readonly #bus: Pick<Bus, 'request'>;
  readonly #timeoutMs: number;
  readonly #accesses: Batches<Access, RoomsReply>;

  constructor(bus: Pick<Bus, 'request'>, timeoutMs: number) {
    this.#bus = bus;
    this.#timeoutMs = timeoutMs;
    this.#accesses = new Batches({
      send: (asks) => this.#access(asks),
      maxAsks: ACCESS_AT_ONCE,
      maxBytes: BATCH_BYTES,
      bytesOf: ({ who, key }) => who.sub.length + (who.name?.length ?? 0) + key.length,
    });
  }

  /**
   * Throws BusError UNAVAILABLE when no auth service answers within the time limit; for whether
   * somebody may be in one room, within twice that: such questions go many in a request.
   *
   * Asked again while the broker restarts. All requests but `create` are harmless to repeat; a
   * `create` whose answer was lost may be answered ROOM_EXISTS, as the room was made.
   */
  async ask(request: RoomsRequest): Promise<RoomsReply> {
    const access = accessOf(request);
    return whileUnavailable(this.#timeoutMs, (remainingMs) =>
      access === null ? this.#ask(request, Math.max(50, remainingMs)) : this.#accesses.ask(access),
    );
  }

  async #access(asks: readonly Access[]): Promise<RoomsReply[]> {
    const [only] = asks;
    if (asks.length === 1 && only !== undefined)
      return [await this.#ask({ op: 'access', who: only.who, keys: [only.key] }, this.#timeoutMs)];
    const reply = AccessManyReply.parse(
      await this.#request(SUBJECTS.authAccessMany, { asks }, this.#timeoutMs),
    );
    if (!reply.ok) return asks.map(() => reply);
    return reply.views.map((view) => ({ ok: true, rooms: view === null ? [] : [view] }));
  }

  async #ask(request: RoomsRequest, timeoutMs: number): Promise<RoomsReply> {
    return RoomsReply.parse(await this.#request(SUBJECTS.authRooms, request, timeoutMs));
  }

  async #request(subject: string, body: unknown, timeoutMs: number): Promise<unknown> {
    const reply = await this.#bus.request(subject, JSON.stringify(body), timeoutMs);
    return JSON.parse(decoder.decode(reply));
  }
}

/** The question that may go with others: about one shared or group room; else null. */
function accessOf(request: RoomsRequest): Access | null {
  if (request.op !== 'access' || request.named === true || request.keys.length !== 1) return null;
  const [key = ''] = request.keys;
  const name = conversationName(key);
  return name !== null && 'room' in name ? { who: request.who, key } : null;
}
